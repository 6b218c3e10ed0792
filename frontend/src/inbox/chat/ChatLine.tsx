import { memo } from "react";
import { useText } from "@/text";
import { longDay } from "@/time";
import { useNow } from "@/ui/useNow";
import styles from "./ChatLine.module.css";
import { EntryBubble } from "./EntryBubble";
import type { Item } from "./items";
import { MessageBubble } from "./MessageBubble";

/** Lines carry their message's id in this attribute. */
export const LINE = "data-line";

/** A line of the chat, under its day's name where it is the day's first. */
export const ChatLine = memo(function ChatLine({
  item,
  isFirstUnread,
}: {
  item: Item;
  isFirstUnread: boolean;
}) {
  const { t } = useText();
  const isOwn = item.entry !== null || item.message?.direction === "outbound";
  return (
    <div
      className={styles.line}
      data-own={isOwn}
      data-continues={item.continues}
      {...{ [LINE]: item.message?.id }}
    >
      {item.beginsDay && <Day moment={item.moment} />}
      {isFirstUnread && <p className={styles.unread}>{t("newMessages")}</p>}
      {item.message ? (
        <MessageBubble message={item.message} moment={item.moment} continues={item.continues} />
      ) : (
        item.entry && <EntryBubble entry={item.entry} moment={item.moment} />
      )}
    </div>
  );
});

/** The day's name, which is another one after midnight. */
function Day({ moment }: { moment: Date }) {
  const { locale } = useText();
  return <h3 className={styles.day}>{longDay(moment, useNow(), locale)}</h3>;
}
