import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newEntry } from "./entries";
import { KeptEntries } from "./kept";

const entry = (content: string) =>
  newEntry({ customerId: 1, content, template: null, lastSeenId: 4 });
const contents = (kept: KeptEntries) => kept.get().map(({ content }) => content);

beforeEach(() => localStorage.clear());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("kept entries", () => {
  it("of one tab are not lost by a write of another that was told of nothing", () => {
    const [one, other] = [new KeptEntries("7"), new KeptEntries("7")];
    other.subscribe(() => {});
    const withdrawn = entry("Withdrawn");
    one.put(withdrawn);
    other.get();
    one.put(entry("First"));
    one.remove(withdrawn.key);
    other.put(entry("Second"));
    expect(contents(one)).toEqual(["First", "Second"]);
    expect(contents(other)).toEqual(["First", "Second"]);
  });

  it("have the order in which they were written, within a millisecond, too", () => {
    vi.useFakeTimers();
    const written = Array.from({ length: 12 }, (_, place) => entry(`${place}`));
    const kept = new KeptEntries("7");
    for (const each of [...written].reverse()) kept.put(each);
    expect(contents(kept)).toEqual(written.map(({ content }) => content));
  });

  it("are the same list until one changes, and then the others are the same still", () => {
    const kept = new KeptEntries("7");
    const [first, second] = [entry("First"), entry("Second")];
    kept.put(first);
    kept.put(second);
    const before = kept.get();
    expect(kept.get()).toBe(before);
    kept.change(second.key, { state: "refused" });
    expect(kept.get()).not.toBe(before);
    expect(kept.get()[0]).toBe(before[0]);
  });

  it("do not come back when one that is gone is changed", () => {
    const kept = new KeptEntries("7");
    kept.change(entry("Gone").key, { state: "refused" });
    expect(kept.get()).toEqual([]);
  });

  it("are each agent's own, and only what looks like one", () => {
    new KeptEntries("71").put(entry("Another's"));
    localStorage.setItem("crm.outbox.7.broken", "{");
    localStorage.setItem("crm.outbox.7.old", '{"key":"old"}');
    expect(new KeptEntries("7").get()).toEqual([]);
  });

  it("are kept in memory where storage is full, until they are gone", () => {
    const kept = new KeptEntries("7");
    const stored = entry("Stored");
    kept.put(stored);
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    const extra = entry("Extra");
    kept.put(extra);
    kept.change(stored.key, { detail: "Why" });
    expect(kept.get()).toMatchObject([{ detail: "Why" }, { content: "Extra" }]);
    kept.remove(extra.key);
    kept.remove(stored.key);
    expect(kept.get()).toEqual([]);
  });
});
