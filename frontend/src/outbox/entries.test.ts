import { describe, expect, it } from "vitest";
import type { Message } from "@/api/types";
import { afterNewer, heads, isEntry, newEntry } from "./entries";

const entry = (customerId: number, more = {}) => ({
  ...newEntry({ customerId, content: "Hi", template: null, lastSeenId: 4 }),
  ...more,
});
const message = (id: number, key: string | null) => ({ id, client_message_id: key }) as Message;

describe("entries of the outbox", () => {
  it("have keys of their own", () => {
    expect(entry(1).key).toMatch(/^[0-9a-f]{32}$/);
    expect(entry(1).key).not.toBe(entry(1).key);
  });

  it("go out one at a time for each customer", () => {
    const [first, second, other] = [entry(1), entry(1), entry(2)];
    expect(heads([first, second, other])).toEqual([first, other]);
  });

  it("wait behind one that is asked about", () => {
    expect(heads([entry(1, { state: "asking" }), entry(1)])).toEqual([]);
  });

  it("go again by themselves where only our own messages are newer", () => {
    const change = afterNewer(entry(1), [message(5, "own"), message(6, "own")], 2, () => true);
    expect(change).toEqual({ lastSeenId: 6 });
  });

  it("ask about a colleague's message", () => {
    const isOwn = (each: Message) => each.client_message_id === "own";
    const change = afterNewer(entry(1), [message(5, "own"), message(6, null)], 2, isOwn);
    expect(change).toMatchObject({ state: "asking", lastSeenId: 6, newer: [{ id: 6 }] });
  });

  it("ask where more is newer than was told", () => {
    expect(afterNewer(entry(1), [message(5, "own")], 30, () => true).state).toBe("asking");
  });

  it("are only believed where they look like entries", () => {
    expect(isEntry(entry(1))).toBe(true);
    expect(isEntry({ ...entry(1), newer: null })).toBe(false);
    expect(isEntry({ key: "1" })).toBe(false);
    expect(isEntry(null)).toBe(false);
  });
});
