import { describe, expect, it } from "vitest";
import type { CustomerSummary, LiveEvent } from "@/api/types";
import {
  addMessage,
  type CustomerFilter,
  chatAfter,
  customersAfter,
  type Pages,
  rowsOf,
} from "./lists";
import { customer, message } from "./testKit";

const NEWEST: CustomerFilter = { search: "", status: "", order: "newest" };

function pages<T>(at: number, next: string | null, ...rows: T[][]): Pages<T> {
  return {
    pages: rows.map((each, number) => ({
      rows: each,
      at,
      next: number < rows.length - 1 ? "more" : next,
    })),
    pageParams: rows.map(() => null),
  };
}

const wrote = (row: CustomerSummary): LiveEvent => ({
  type: "inbound_message",
  customer_id: row.id,
  message: message(99, { customer_id: row.id }),
  customer: row,
});
const ids = (list: Pages<{ id: number }>) => rowsOf(list).map((row) => row.id);

describe("the list of customers", () => {
  const list = pages(10, "more", [customer(3, 30), customer(2, 20)], [customer(1, 10)]);

  it("moves whoever wrote to the top", () => {
    expect(ids(customersAfter(list, { id: 11, event: wrote(customer(1, 40)) }, NEWEST))).toEqual([
      1, 3, 2,
    ]);
  });

  it("takes in somebody from further down", () => {
    expect(ids(customersAfter(list, { id: 11, event: wrote(customer(9, 40)) }, NEWEST))).toEqual([
      9, 3, 2, 1,
    ]);
  });

  it("leaves alone what an answer told already", () => {
    expect(customersAfter(list, { id: 10, event: wrote(customer(1, 40)) }, NEWEST)).toBe(list);
  });

  it("keeps a late message where its time belongs", () => {
    expect(ids(customersAfter(list, { id: 11, event: wrote(customer(9, 25)) }, NEWEST))).toEqual([
      3, 9, 2, 1,
    ]);
  });

  it("does not show what is further down than was fetched", () => {
    const far = customersAfter(list, { id: 11, event: wrote(customer(9, 5)) }, NEWEST);
    expect(ids(far)).toEqual([3, 2, 1]);
  });

  it("drops whoever no longer fits the filter, and takes in who does", () => {
    const filter = { ...NEWEST, status: "open" };
    const open = pages(10, null, [customer(3, 30, { status: "open" })]);
    const won: LiveEvent = {
      type: "customer_updated",
      customer_id: 3,
      customer: customer(3, 30, { status: "won" }),
    };
    expect(ids(customersAfter(open, { id: 11, event: won }, filter))).toEqual([]);
    const opened: LiveEvent = {
      type: "customer_updated",
      customer_id: 2,
      customer: customer(2, 20, { status: "open" }),
    };
    expect(ids(customersAfter(open, { id: 11, event: opened }, filter))).toEqual([3, 2]);
  });

  it("finds by name, phone and last message as the server does", () => {
    const none = pages<CustomerSummary>(0, null, []);
    const row = customer(5, 40, {
      name: "José",
      phone: "60123456789",
      last_message: "Blue JACKET",
    });
    for (const search of ["jos", "+60 123-45", "jacket"]) {
      expect(
        ids(customersAfter(none, { id: 1, event: wrote(row) }, { ...NEWEST, search })),
      ).toEqual([5]);
    }
    expect(
      ids(customersAfter(none, { id: 1, event: wrote(row) }, { ...NEWEST, search: "red" })),
    ).toEqual([]);
  });

  it("puts unread chats first where that is wanted", () => {
    const filter: CustomerFilter = { ...NEWEST, order: "unread" };
    const unread = pages(10, null, [customer(2, 20, { unread_count: 1 }), customer(3, 30)]);
    const event = wrote(customer(4, 10, { unread_count: 1 }));
    expect(ids(customersAfter(unread, { id: 11, event }, filter))).toEqual([2, 4, 3]);
  });

  it("keeps a customer without messages in place when the name changes", () => {
    const silent = pages(10, null, [customer(3, 30), customer(7, null), customer(2, 20)]);
    const event: LiveEvent = {
      type: "customer_updated",
      customer_id: 7,
      customer: customer(7, null, { name: "New" }),
    };
    const after = customersAfter(silent, { id: 11, event }, NEWEST);
    expect(rowsOf(after)[1]?.name).toBe("New");
  });

  it("removes who was erased", () => {
    const event: LiveEvent = { type: "customer_deleted", customer_id: 2 };
    expect(ids(customersAfter(list, { id: 11, event }, NEWEST))).toEqual([3, 1]);
  });

  it("shows a row once that two pages hold", () => {
    expect(ids(pages(1, null, [customer(1, 40)], [customer(1, 10), customer(2, 5)]))).toEqual([
      1, 2,
    ]);
  });
});

describe("a chat", () => {
  const chat = pages(10, "more", [message(5), message(7)], [message(2)]);
  const status = (id: number): LiveEvent => ({
    type: "message_status",
    customer_id: 1,
    message: { id, ack: 3, status: "read", whatsapp_id: "A", error: null },
  });

  it("takes a new message in at its place, once", () => {
    const event = wrote(customer(1, 1));
    const once = chatAfter(chat, { id: 11, event });
    expect(once.pages[0]?.rows.map((row) => row.id)).toEqual([5, 7, 99]);
    expect(chatAfter(once, { id: 12, event })).toBe(once);
    expect(addMessage(chat, message(6)).pages[0]?.rows.map((row) => row.id)).toEqual([5, 6, 7]);
  });

  it("changes the state of a message on any page", () => {
    const after = chatAfter(chat, { id: 11, event: status(2) });
    expect(after.pages[1]?.rows[0]).toMatchObject({ status: "read", content: "Text 2" });
  });

  it("does not go back to a state that an answer has overtaken", () => {
    expect(chatAfter(chat, { id: 9, event: status(5) })).toBe(chat);
  });

  it("shows as read what somebody has read", () => {
    const event: LiveEvent = {
      type: "messages_read",
      customer_id: 1,
      up_to: 5,
      customer: customer(1, 1),
    };
    expect(rowsOf(chatAfter(chat, { id: 11, event })).map((row) => row.ack)).toEqual([3, 2, 3]);
  });
});
