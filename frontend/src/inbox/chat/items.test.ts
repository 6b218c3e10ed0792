import { describe, expect, it } from "vitest";
import type { Message } from "@/api/types";
import { newEntry } from "@/outbox/entries";
import { itemsOf } from "./items";
import { filledTemplate } from "./templates";

const message = (id: number, timestamp: string, more: Partial<Message> = {}) =>
  ({
    id,
    direction: "inbound",
    timestamp,
    client_message_id: null,
    author: null,
    ...more,
  }) as Message;

describe("the lines of a chat", () => {
  it("begin a day with its first message", () => {
    const items = itemsOf(
      [
        message(1, "2026-01-01T10:00:00"),
        message(2, "2026-01-01T10:01:00"),
        message(3, "2026-01-03T10:00:00"),
      ],
      [],
    );
    expect(items.map((item) => item.beginsDay)).toEqual([true, false, true]);
    expect(items.map((item) => item.continues)).toEqual([false, true, false]);
  });

  it("stay the same but for those that an event changes, and an older page moves none", () => {
    const [first, second, third] = [1, 2, 3].map((id) => message(id, `2026-01-01T10:0${id}:00`));
    if (!first || !second || !third) throw new Error("three were made");
    const before = itemsOf([second, third], []);
    const after = itemsOf([first, second, { ...third, ack: 3 }], []);
    expect(before[0]?.beginsDay).toBe(true);
    expect(after[1]?.beginsDay).toBe(false);
    const again = itemsOf([first, second, third], []);
    expect(again[1]).toBe(after[1]);
    expect(again[2]).toBe(before[1]);
    expect(again[2]).not.toBe(after[2]);
  });

  it("end with what is on its way, but for what is stored already", () => {
    const chosen = { customerId: 1, content: "Hi", template: null, lastSeenId: 0 };
    const [stored, waiting] = [newEntry(chosen), newEntry(chosen)];
    const items = itemsOf(
      [message(1, "2026-01-01T10:00:00", { direction: "outbound", client_message_id: stored.key })],
      [stored, waiting],
    );
    expect(items.map((item) => item.key)).toEqual([stored.key, waiting.key]);
    expect(items[0]?.message?.id).toBe(1);
  });

  it("tell two authors apart", () => {
    const author = (id: number) => ({ kind: "agent" as const, id, name: `Agent ${id}` });
    const items = itemsOf(
      [
        message(1, "2026-01-01T10:00:00", { direction: "outbound", author: author(1) }),
        message(2, "2026-01-01T10:00:10", { direction: "outbound", author: author(2) }),
      ],
      [],
    );
    expect(items[1]?.continues).toBe(false);
  });
});

describe("a template", () => {
  it("is filled in, and shows what is still missing", () => {
    expect(filledTemplate("Hello {{1}}, {{2}}!", ["Mia", ""])).toBe("Hello Mia, {{2}}!");
  });
});
