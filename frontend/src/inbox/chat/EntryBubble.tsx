import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { keys } from "@/api/keys";
import { holderOf, useSession } from "@/api/session";
import type { Message } from "@/api/types";
import { type Pages, rowsOf } from "@/live/lists";
import type { Entry } from "@/outbox/entries";
import { useOutbox } from "@/outbox/OutboxProvider";
import { draftOf } from "@/state/drafts";
import { useText, type Wording } from "@/text";
import { clockTime } from "@/time";
import { Button } from "@/ui/Button";
import styles from "./Bubble.module.css";
import { RichText } from "./RichText";
import { Ticks } from "./Ticks";

/** A message that the server does not have yet. */
export function EntryBubble({ entry, moment }: { entry: Entry; moment: Date }) {
  const { t, locale } = useText();
  const status = entry.state === "waiting" ? "saving" : entry.state;
  return (
    <article className={styles.bubble} data-own="true" data-status={status}>
      <RichText text={entry.content} />
      <footer className={styles.foot}>
        <time dateTime={moment.toISOString()}>{clockTime(moment, locale)}</time>
        <Ticks status={status} />
      </footer>
      {entry.state === "refused" && (
        <div className={styles.trouble}>
          <p className={styles.reason}>{t("refused", { reason: reasonOf(entry, t) })}</p>
          <EntryButtons entry={entry} />
        </div>
      )}
    </article>
  );
}

/** The server's own words, or ours where it gave none. */
function reasonOf({ detail, refusal }: Entry, t: Wording["t"]): string {
  if (detail) return detail;
  return refusal ? t("serverRefused", { status: refusal }) : t("noReason");
}

function newestShown(client: QueryClient, customerId: number): number {
  const chat = client.getQueryData<Pages<Message>>(keys.chat(customerId));
  return rowsOf(chat).reduce((newest, { id }) => Math.max(newest, id), 0);
}

/** What its writer may do with an entry that the server did not take. */
export function EntryButtons({
  entry,
  again = "retry",
}: {
  entry: Entry;
  again?: "retry" | "sendNewer";
}) {
  const { t } = useText();
  const client = useQueryClient();
  const outbox = useOutbox();
  const holder = holderOf(useSession().data);
  const edit = () => {
    if (holder === null) return;
    const draft = draftOf(holder, entry.customerId);
    const text = [entry.content, draft.get().text].filter(Boolean).join("\n");
    draft.set({ text, seen: entry.lastSeenId ?? newestShown(client, entry.customerId) });
    outbox?.withdraw(entry.key);
  };
  return (
    <div className={styles.buttons}>
      <Button look="main" onClick={() => outbox?.confirm(entry.key)}>
        {t(again)}
      </Button>
      {!entry.template && <Button onClick={edit}>{t("edit")}</Button>}
      <Button onClick={() => outbox?.withdraw(entry.key)}>{t("discard")}</Button>
    </div>
  );
}
