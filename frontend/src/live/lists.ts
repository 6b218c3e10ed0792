import type { InfiniteData } from "@tanstack/react-query";
import type { Page } from "@/api/pages";
import type { CustomerSummary, LiveEvent, Message, MessageState } from "@/api/types";

export type Pages<T> = InfiniteData<Page<T>, unknown>;

export interface CustomerFilter {
  readonly search: string;
  readonly status: string;
  readonly order: "newest" | "unread";
}

/** A list without what was fetched by scrolling. */
export function firstPageOf<T>({ pages, pageParams }: Pages<T>): Pages<T> {
  return { pages: pages.slice(0, 1), pageParams: pageParams.slice(0, 1) };
}

/** An event with its place in the log; 0 where it has none. */
export interface Placed {
  readonly id: number;
  readonly event: LiveEvent;
}

/** The rows of all pages, each once: a row that moved while pages were fetched may be in two. */
export function rowsOf<T extends { id: number }>(pages: Pages<T> | undefined): T[] {
  const rows = new Map<number, T>();
  for (const page of pages?.pages ?? []) {
    for (const row of page.rows) if (!rows.has(row.id)) rows.set(row.id, row);
  }
  return [...rows.values()];
}

/** Whether a list with this filter shows the customer, as the server would decide. */
export function isShown(row: CustomerSummary, filter: CustomerFilter): boolean {
  if (filter.status && row.status !== filter.status) return false;
  const wanted = filter.search.trim().toLowerCase();
  if (!wanted) return true;
  const digits = wanted.replace(/[\s().+-]/g, "");
  return (
    row.name.toLowerCase().includes(wanted) ||
    (row.last_message ?? "").toLowerCase().includes(wanted) ||
    (/^\d+$/.test(digits) && row.phone.includes(digits))
  );
}

function isBefore(one: CustomerSummary, other: CustomerSummary, filter: CustomerFilter): boolean {
  if (filter.order === "unread" && one.unread_count > 0 !== other.unread_count > 0) {
    return one.unread_count > 0;
  }
  const [first, second] = [one.last_timestamp, other.last_timestamp];
  // Who never wrote stands where they were made, which a summary does not tell: leave them there.
  if (first === null || second === null) return false;
  return first === second ? one.id > other.id : first > second;
}

/** The pages with a customer's row as it is now, at its place. */
export function placeCustomer(
  pages: Pages<CustomerSummary>,
  row: CustomerSummary,
  filter: CustomerFilter,
  isNew: boolean,
): Pages<CustomerSummary> {
  const old = pages.pages.flatMap((page) => page.rows).find((each) => each.id === row.id);
  if (old && isShown(row, filter) && keepsPlace(old, row)) return replaceRow(pages, row);
  const without = removeRow(pages, row.id);
  if (!isShown(row, filter) || (row.last_timestamp === null && !isNew)) {
    return old && isShown(row, filter) ? replaceRow(pages, row) : without;
  }
  return insertRow(without, row, filter);
}

function keepsPlace(old: CustomerSummary, row: CustomerSummary): boolean {
  return old.last_timestamp === row.last_timestamp && old.unread_count > 0 === row.unread_count > 0;
}

function insertRow(
  pages: Pages<CustomerSummary>,
  row: CustomerSummary,
  filter: CustomerFilter,
): Pages<CustomerSummary> {
  const lastPage = pages.pages.length - 1;
  for (const [number, page] of pages.pages.entries()) {
    const found =
      row.last_timestamp === null ? 0 : page.rows.findIndex((each) => isBefore(row, each, filter));
    const isEnd = number === lastPage && page.next === null;
    if (found < 0 && !isEnd) continue;
    const place = found < 0 ? page.rows.length : found;
    return replacePage(pages, number, [
      ...page.rows.slice(0, place),
      row,
      ...page.rows.slice(place),
    ]);
  }
  return pages; // further down than what was fetched
}

/** The pages without a row. */
export function removeRow<T extends { id: number }>(pages: Pages<T>, id: number): Pages<T> {
  const number = pages.pages.findIndex((page) => page.rows.some((row) => row.id === id));
  if (number < 0) return pages;
  const rows = pages.pages[number]?.rows.filter((row) => row.id !== id) ?? [];
  return removeRow(replacePage(pages, number, rows), id);
}

/** The pages with a row changed where it stands. */
export function replaceRow<T extends { id: number }>(
  pages: Pages<T>,
  change: Partial<T> & { id: number },
  isNewer: (page: Page<T>) => boolean = () => true,
): Pages<T> {
  const number = pages.pages.findIndex((page) => page.rows.some((row) => row.id === change.id));
  const page = pages.pages[number];
  if (!page || !isNewer(page)) return pages;
  const rows = page.rows.map((row) => (row.id === change.id ? { ...row, ...change } : row));
  return replacePage(pages, number, rows);
}

function replacePage<T>(pages: Pages<T>, number: number, rows: readonly T[]): Pages<T> {
  const changed = pages.pages.map((page, each) => (each === number ? { ...page, rows } : page));
  return { ...pages, pages: changed };
}

/** The list of customers after an event. */
export function customersAfter(
  pages: Pages<CustomerSummary>,
  { id, event }: Placed,
  filter: CustomerFilter,
): Pages<CustomerSummary> {
  if (id <= (pages.pages[0]?.at ?? 0)) return pages; // it was in the answer already
  if (event.type === "customer_deleted") return removeRow(pages, event.customer_id);
  if (!("customer" in event)) return pages;
  return placeCustomer(pages, event.customer, filter, event.type === "new_customer");
}

/** A chat after an event; its first page is the newest, each page's rows are oldest first. */
export function chatAfter(pages: Pages<Message>, { id, event }: Placed): Pages<Message> {
  const isNewer = (page: Page<Message>) => id > page.at;
  switch (event.type) {
    case "inbound_message":
    case "outbound_message":
      return addMessage(pages, event.message, isNewer);
    case "message_status":
      return replaceRow(pages, event.message as MessageState, isNewer);
    case "messages_read":
      return markRead(pages, event.up_to);
    default:
      return pages;
  }
}

const READ = 3;

function markRead(pages: Pages<Message>, upTo: number): Pages<Message> {
  const isUnread = (row: Message) =>
    row.direction === "inbound" && row.ack < READ && row.id <= upTo;
  const changed = pages.pages.map((page) => {
    if (!page.rows.some(isUnread)) return page;
    const rows = page.rows.map((row) =>
      isUnread(row) ? { ...row, ack: READ, status: "read" } : row,
    );
    return { ...page, rows };
  });
  return { ...pages, pages: changed };
}

/** The chat with a message that was just written, unless it is there. */
export function addMessage(
  pages: Pages<Message>,
  message: Message,
  isNewer: (page: Page<Message>) => boolean = () => true,
): Pages<Message> {
  const [newest] = pages.pages;
  if (!newest || !isNewer(newest)) return pages;
  if (newest.rows.some((row) => row.id === message.id)) return pages;
  const place = newest.rows.findLastIndex((row) => row.id < message.id) + 1;
  return replacePage(pages, 0, [
    ...newest.rows.slice(0, place),
    message,
    ...newest.rows.slice(place),
  ]);
}
