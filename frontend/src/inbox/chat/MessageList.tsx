import { useEffect, useMemo, useRef, useState } from "react";
import { Virtuoso, type VirtuosoHandle } from "react-virtuoso";
import { useText } from "@/text";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { Notice } from "@/ui/Notice";
import { ChatLine } from "./ChatLine";
import type { Item } from "./items";
import styles from "./MessageList.module.css";

interface Props {
  readonly items: readonly Item[];
  /** How many of them are on older pages: they were put before what was there. */
  readonly older: number;
  readonly onTop: () => void;
  /** The newest message that was in view. */
  readonly onShown: (messageId: number) => void;
}

/** Where the list's numbers begin; older lines count down from there. */
const START = 10_000_000;
const AHEAD = { top: 800, bottom: 400 };

/** The chat's lines, of which only those near the view exist. */
export function MessageList({ items, older, onTop, onShown }: Props) {
  const { t } = useText();
  const list = useRef<VirtuosoHandle>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const firstIndex = START - older;
  const waiting = useMemo(() => items.filter((item) => item.entry).length, [items]);
  const [firstUnread] = useState(() => firstUnreadOf(items));
  useEffect(() => {
    // What one writes oneself is always shown.
    if (waiting > 0) list.current?.scrollToIndex({ index: "LAST", align: "end" });
  }, [waiting]);
  if (items.length === 0) return <Notice title={t("noMessages")} />;
  return (
    <div className={styles.place}>
      <Virtuoso
        ref={list}
        className={styles.list ?? ""}
        role="group"
        aria-label={t("messages")}
        data={items}
        firstItemIndex={firstIndex}
        initialTopMostItemIndex={{ index: "LAST", align: "end" }}
        increaseViewportBy={AHEAD}
        alignToBottom
        followOutput={(isEnd) => (isEnd ? "auto" : false)}
        atBottomThreshold={60}
        atBottomStateChange={setAtEnd}
        startReached={onTop}
        computeItemKey={(_, item) => item.key}
        rangeChanged={({ endIndex }) => {
          const id = newestIdUpTo(items, endIndex - firstIndex);
          if (id) onShown(id);
        }}
        itemContent={(_, item) => <ChatLine item={item} isFirstUnread={item.key === firstUnread} />}
      />
      {!isAtEnd && (
        <Button
          look="plain"
          className={styles.down ?? ""}
          aria-label={t("toNewest")}
          title={t("toNewest")}
          onClick={() => list.current?.scrollToIndex({ index: "LAST", align: "end" })}
        >
          <Icon name="down" />
        </Button>
      )}
    </div>
  );
}

function firstUnreadOf(items: readonly Item[]): string | undefined {
  return items.find(({ message }) => message?.direction === "inbound" && message.ack < 3)?.key;
}

function newestIdUpTo(items: readonly Item[], index: number): number {
  return (
    items[Math.min(index, items.length - 1)]?.message?.id ??
    items.findLast((each) => each.message)?.message?.id ??
    0
  );
}
