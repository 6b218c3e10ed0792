import { useState } from "react";
import { useRevokeToken, useTokens } from "@/api/tokens";
import type { NewToken, Token } from "@/api/types";
import { Section } from "@/shell/Sheet";
import { useText } from "@/text";
import { fullMoment, parseTime } from "@/time";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { useOutcome } from "@/ui/useOutcome";
import { AddToken } from "./AddToken";
import { ListState } from "./ListState";
import { Secret } from "./Secret";
import styles from "./Settings.module.css";

/** How scripts call the API; for owners. */
export function Tokens() {
  const { t } = useText();
  const tokens = useTokens();
  const [shown, setShown] = useState<NewToken | null>(null);
  return (
    <Section title={t("tokens")} hint={t("tokensHint")}>
      <ListState list={tokens} empty={t("noTokens")} />
      <ul className={styles.list}>
        {tokens.data?.map((token) => (
          <TokenRow key={token.id} token={token} />
        ))}
      </ul>
      <AddToken onAdded={setShown} />
      {shown && (
        <Secret
          title={t("tokenOf", { name: shown.name })}
          secret={shown.token}
          onClose={() => setShown(null)}
        />
      )}
    </Section>
  );
}

function TokenRow({ token }: { token: Token }) {
  const { t, locale } = useText();
  const used = token.last_used_at ? fullMoment(parseTime(token.last_used_at), locale) : t("never");
  return (
    <li className={styles.row} data-off={token.revoked_at !== null}>
      <div className={styles.what}>
        <p className={styles.name} dir="auto">
          {token.name}
        </p>
        <p className={styles.note}>
          <code>{token.prefix}…</code> · {t("scope")} {t(`scope_${token.scope}`)} · {t("lastUsed")}:{" "}
          {used}
        </p>
      </div>
      {token.revoked_at ? <p className={styles.note}>{t("revoked")}</p> : <Revoke token={token} />}
    </li>
  );
}

function Revoke({ token }: { token: Token }) {
  const { t } = useText();
  const tell = useOutcome();
  const revoke = useRevokeToken();
  const [isAsking, setAsking] = useState(false);
  const start = () => {
    setAsking(false);
    void tell(revoke.mutateAsync(token.id), () => t("revoked"));
  };
  const title = t("revokeNamed", { name: token.name });
  return (
    <>
      <Button
        look="danger"
        aria-label={title}
        disabled={revoke.isPending}
        onClick={() => setAsking(true)}
      >
        {t("revoke")}
      </Button>
      {isAsking && (
        <Dialog title={title} onClose={() => setAsking(false)}>
          <div className={styles.form}>
            <p>{t("revokeHint")}</p>
            <div className={styles.buttons}>
              <Button look="danger" onClick={start}>
                {t("revoke")}
              </Button>
              <Button onClick={() => setAsking(false)}>{t("cancel")}</Button>
            </div>
          </div>
        </Dialog>
      )}
    </>
  );
}
