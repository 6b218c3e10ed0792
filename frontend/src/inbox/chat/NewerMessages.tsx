import { useEntries } from "@/outbox/OutboxProvider";
import { useText } from "@/text";
import { EntryButtons } from "./EntryBubble";
import styles from "./NewerMessages.module.css";

const SHOWN = 3;

/** Asks before a message goes out whose writer had not seen what came meanwhile. */
export function NewerMessages({ customerId }: { customerId: number }) {
  const { t } = useText();
  const entry = useEntries().find(
    (each) => each.customerId === customerId && each.state === "asking",
  );
  if (!entry) return null;
  return (
    <section className={styles.panel} role="alert">
      <p>{t("somethingNewer")}</p>
      <ul>
        {entry.newer.slice(-SHOWN).map((message) => (
          <li key={message.id} dir="auto">
            {message.direction === "outbound" && <b>{message.author?.name ?? t("colleague")}: </b>}
            {message.content}
          </li>
        ))}
      </ul>
      <p className={styles.own} dir="auto">
        {t("you")}: {entry.content}
      </p>
      <EntryButtons entry={entry} again="sendNewer" />
    </section>
  );
}
