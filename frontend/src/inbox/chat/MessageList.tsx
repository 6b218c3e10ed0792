import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useText } from "@/text";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { Notice } from "@/ui/Notice";
import { Block } from "./Block";
import { blocksOf } from "./blocks";
import { LINE } from "./ChatLine";
import type { Item } from "./items";
import styles from "./MessageList.module.css";

interface Props {
  readonly items: readonly Item[];
  /** How many of them are on older pages: they were put before what was there. */
  readonly older: number;
  /** Whether another page can be asked for now. */
  readonly hasOlder: boolean;
  /** Whether the last one asked for did not come. */
  readonly isOlderFailed: boolean;
  readonly onTop: () => void;
  /** The newest message that was in view. */
  readonly onShown: (messageId: number) => void;
}

/** Pixels from its end in which the list counts as being there. */
const END = 60;
const TOP_AHEAD = "1500px 0px";

/**
 * The chat's lines. The list is laid out from its end (`column-reverse`): it is there from the first
 * frame on, follows what is added, and stays where it is when older lines come.
 */
export function MessageList(props: Props) {
  const { items, older, hasOlder, isOlderFailed, onTop, onShown } = props;
  const { t } = useText();
  const list = useRef<HTMLElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const blocks = useMemo(() => blocksOf(items, older), [items, older]);
  const waiting = useMemo(() => items.filter((item) => item.entry).length, [items]);
  const [firstUnread] = useState(() => firstUnreadOf(items));
  const toEnd = useCallback(() => list.current?.scrollTo({ top: 0 }), []);
  const look = useCallback(() => {
    if (!list.current) return;
    setAtEnd(list.current.scrollTop > -END);
    const id = newestInView(list.current);
    if (id) onShown(id);
  }, [onShown]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is in view follows the lines
  useEffect(look, [items, look]);
  useEffect(() => {
    // What one writes oneself is always shown.
    if (waiting > 0) toEnd();
  }, [waiting, toEnd]);
  const top = useTop(older, hasOlder && !isOlderFailed, onTop);
  if (items.length === 0) return <Notice title={t("noMessages")} />;
  return (
    <div className={styles.place}>
      <section
        ref={list}
        className={styles.list}
        aria-label={t("conversation")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it by keys
        tabIndex={0}
        onScroll={look}
      >
        <div className={styles.lines}>
          <div ref={top} />
          {isOlderFailed && (
            <Notice title={t("loadFailed")}>
              <Button onClick={onTop}>{t("tryAgain")}</Button>
            </Notice>
          )}
          {blocks.map((block) => (
            <Block key={block.number} items={block.items} firstUnread={firstUnread} />
          ))}
        </div>
      </section>
      {!isAtEnd && (
        <Button
          look="plain"
          className={styles.down ?? ""}
          aria-label={t("toNewest")}
          title={t("toNewest")}
          onClick={toEnd}
        >
          <Icon name="down" />
        </Button>
      )}
    </div>
  );
}

/** Calls back when the beginning comes near; again after each answer, where that is still so. */
function useTop(older: number, isWanted: boolean, onTop: () => void) {
  const top = useRef<HTMLDivElement>(null);
  const latest = useRef(onTop);
  useEffect(() => {
    latest.current = onTop;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page came, so it is looked at anew
  useEffect(() => {
    const place = top.current;
    if (!place || !isWanted) return;
    const observer = new IntersectionObserver(
      (entries) => entries.at(-1)?.isIntersecting && latest.current(),
      { root: place.parentElement?.parentElement ?? null, rootMargin: TOP_AHEAD },
    );
    observer.observe(place);
    return () => observer.disconnect();
  }, [older, isWanted]);
  return top;
}

function firstUnreadOf(items: readonly Item[]): string | undefined {
  return items.find(({ message }) => message?.direction === "inbound" && message.ack < 3)?.key;
}

function newestInView(list: HTMLElement): number | undefined {
  const { bottom } = list.getBoundingClientRect();
  const lines = [...list.querySelectorAll<HTMLElement>(`[${LINE}]`)];
  const line = lines.findLast((each) => each.getBoundingClientRect().top < bottom);
  return Number(line?.getAttribute(LINE)) || undefined;
}
