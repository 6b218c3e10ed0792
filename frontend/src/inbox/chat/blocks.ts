import type { Item } from "./items";

export interface BlockOfItems {
  readonly number: number;
  readonly items: readonly Item[];
}

const LINES = 20;

/**
 * Neighbouring lines, some at a time, oldest first. Older lines come before the first `older` was
 * counted from, so blocks are counted from there: an older page leaves those that there are alone.
 */
export function blocksOf(items: readonly Item[], older: number): BlockOfItems[] {
  const blocks: BlockOfItems[] = [];
  for (let start = 0; start < items.length; ) {
    const number = Math.floor((start - older) / LINES);
    const end = (number + 1) * LINES + older;
    blocks.push({ number, items: items.slice(start, end) });
    start = end;
  }
  return blocks;
}
