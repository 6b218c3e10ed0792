import { memo, useEffect, useRef, useState } from "react";
import { ChatLine } from "./ChatLine";
import type { Item } from "./items";

interface Props {
  readonly items: readonly Item[];
  readonly firstUnread: string | undefined;
}

/** How far out of view a block may be before it is only a space. */
const AHEAD = "1200px 0px";

/** Some neighbouring lines; far out of view, a space as high as they were. */
export const Block = memo(function Block({ items, firstUnread }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState<number | null>(null);
  useEffect(() => {
    const block = place.current;
    if (!block) return;
    const observer = new IntersectionObserver(
      (entries) => {
        const entry = entries.at(-1);
        if (entry?.isIntersecting) setHeight(null);
        // A chat that is not shown at all, as on a phone, has no height.
        else if (entry?.boundingClientRect.height) setHeight(entry.boundingClientRect.height);
      },
      { root: block.parentElement?.parentElement ?? null, rootMargin: AHEAD },
    );
    observer.observe(block);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={place} style={height === null ? undefined : { height }}>
      {height === null &&
        items.map((item) => (
          <ChatLine key={item.key} item={item} isFirstUnread={item.key === firstUnread} />
        ))}
    </div>
  );
}, isAlike);

function isAlike(one: Props, other: Props): boolean {
  return (
    one.firstUnread === other.firstUnread &&
    one.items.length === other.items.length &&
    one.items.every((item, place) => item === other.items[place])
  );
}
