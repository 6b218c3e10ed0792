import { describe, expect, it } from "vitest";
import { blocksOf } from "./blocks";
import type { Item } from "./items";

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, place) => ({ key: `${from + place}` }) as Item);
const keysOf = (blocks: ReturnType<typeof blocksOf>) =>
  new Map(blocks.map(({ number, items }) => [number, items.map((item) => item.key).join()]));

describe("the blocks of a chat", () => {
  it("hold every line once, in order", () => {
    const items = lines(0, 47);
    expect(blocksOf(items, 13).flatMap((block) => block.items)).toEqual(items);
  });

  it("stay as they are when an older page comes before them", () => {
    const before = keysOf(blocksOf(lines(100, 160), 0));
    const after = keysOf(blocksOf(lines(40, 160), 60));
    for (const [number, keys] of before) expect(after.get(number)).toBe(keys);
    expect(after.size).toBe(6);
  });

  it("change only at the end when a line is added", () => {
    const before = keysOf(blocksOf(lines(0, 60), 0));
    const after = keysOf(blocksOf(lines(0, 61), 0));
    for (const [number, keys] of before) expect(after.get(number)).toBe(keys);
    expect(after.get(3)).toBe("60");
  });
});
