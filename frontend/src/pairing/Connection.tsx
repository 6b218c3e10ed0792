import { useQr, useRenewQr } from "@/api/qr";
import { useGateway } from "@/api/queries";
import type { GatewayStatus } from "@/api/types";
import { Section } from "@/shell/Sheet";
import { gatewaySentence } from "@/shell/StatusBar";
import { useText } from "@/text";
import { adviceOf, explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { Notice } from "@/ui/Notice";
import { useOutcome } from "@/ui/useOutcome";
import styles from "./Connection.module.css";

/** The state of the line, and the code of the moment where one is needed. */
export function Connection() {
  const wording = useText();
  const { t } = wording;
  const gateway = useGateway();
  if (gateway.isPending) return <p role="status">{t("loading")}</p>;
  if (gateway.isError) {
    return (
      <Notice title={t("loadFailed")} hint={explain(gateway.error, t)}>
        <Button look="main" onClick={() => void gateway.refetch()}>
          {t("tryAgain")}
        </Button>
      </Notice>
    );
  }
  const status = gateway.data;
  const title = status.ready ? t("gatewayReady") : t(gatewaySentence(status));
  return (
    <Section title={title} hint={status.ready ? t("pairingReady") : adviceOf(status, wording)}>
      {status.ready ? <Ready /> : <Code status={status} />}
    </Section>
  );
}

function Ready() {
  return (
    <div className={styles.ready}>
      <Icon name="tick" size={72} />
    </div>
  );
}

function Code({ status }: { status: GatewayStatus }) {
  const { t } = useText();
  const qr = useQr(status.need_qr === true);
  return (
    <>
      {qr.data ? (
        <>
          <p>{t("pairingSteps")}</p>
          {/* biome-ignore lint/performance/noImgElement: the code is drawn in this page */}
          <img
            className={styles.code}
            src={`data:image/svg+xml,${encodeURIComponent(qr.data)}`}
            alt={t("qrCode")}
            width={288}
            height={288}
          />
          <p className={styles.note}>{t("qrRenewed")}</p>
        </>
      ) : (
        <Notice title={status.need_qr && qr.isPending ? t("loading") : t("pairingNone")} />
      )}
      {qr.isError && <p className={styles.problem}>{explain(qr.error, t)}</p>}
      {canRenew(status) && <Renew />}
    </>
  );
}

/** New codes help one who must scan; nothing else is mended by them. */
function canRenew({ need_qr, state }: GatewayStatus): boolean {
  return need_qr === true || state === "logged_out";
}

function Renew() {
  const { t } = useText();
  const tell = useOutcome();
  const renew = useRenewQr();
  const start = () => tell(renew.mutateAsync(), () => t("newCodeComes"));
  return (
    <div>
      <Button disabled={renew.isPending} onClick={() => void start()}>
        {t("newCode")}
      </Button>
    </div>
  );
}
