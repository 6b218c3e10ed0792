import {
  type InfiniteData,
  InfiniteQueryObserver,
  QueryClient,
  QueryObserver,
} from "@tanstack/react-query";
import { afterEach, describe, expect, it, vi } from "vitest";
import { keys } from "@/api/keys";
import type { Page } from "@/api/pages";
import type { CustomerSummary, LiveEvent, Message } from "@/api/types";
import { LiveCache } from "./cache";
import { type CustomerFilter, rowsOf } from "./lists";
import { customer, message } from "./testKit";

const FILTER: CustomerFilter = { search: "", status: "", order: "newest" };

const wrote = (id: number, row = customer(1, 50)): LiveEvent => ({
  type: "inbound_message",
  customer_id: row.id,
  message: message(id, { customer_id: row.id }),
  customer: row,
});

const status = (id: number): LiveEvent => ({
  type: "message_status",
  customer_id: 1,
  message: { id, ack: 3, status: "read", whatsapp_id: "A", error: null },
});

let undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo) each();
  undo = [];
  vi.useRealTimers();
});

function begin() {
  const client = new QueryClient({
    defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } },
  });
  const cache = new LiveCache(client);
  undo.push(cache.watch(), () => client.clear());
  return { client, cache };
}

/** A list on the screen, whose answers the test gives when it likes. */
function show<T>(client: QueryClient, queryKey: readonly unknown[]) {
  const asked: ((page: Page<T>) => void)[] = [];
  const observer = new InfiniteQueryObserver<Page<T>, Error, InfiniteData<Page<T>>>(client, {
    queryKey,
    queryFn: () => new Promise<Page<T>>((resolve) => asked.push(resolve)),
    initialPageParam: null,
    getNextPageParam: (page) => page.next,
  });
  const hide = observer.subscribe(() => {});
  undo.push(hide);
  const answer = async (page: Page<T>) => {
    await vi.waitFor(() => expect(asked).not.toHaveLength(0));
    const count = client.getQueryState(queryKey)?.dataUpdateCount ?? 0;
    asked.shift()?.(page);
    await vi.waitFor(() =>
      expect(client.getQueryState(queryKey)?.dataUpdateCount).toBeGreaterThan(count),
    );
  };
  return { observer, answer, hide, asked };
}

const idsOf = (client: QueryClient, key: readonly unknown[]) =>
  rowsOf(client.getQueryData<InfiniteData<Page<{ id: number }>>>(key)).map((row) => row.id);

describe("an answer that was under way while events came", () => {
  it("does not undo what was written while older messages were loading", async () => {
    const { client, cache } = begin();
    const chat = show<Message>(client, keys.chat(1));
    await chat.answer({ rows: [message(5)], at: 10, next: "more" });
    void chat.observer.fetchNextPage();
    cache.take(11, wrote(6));
    cache.take(12, status(5));
    await chat.answer({ rows: [message(2)], at: 10, next: null });
    const all = client.getQueryData<InfiniteData<Page<Message>>>(keys.chat(1));
    expect(all?.pages.map((page) => page.rows.map((row) => row.id))).toEqual([[5, 6], [2]]);
    expect(all?.pages[0]?.rows[0]?.status).toBe("read");
  });

  it("brings the older page itself up to date, but not back", async () => {
    const { client, cache } = begin();
    const chat = show<Message>(client, keys.chat(1));
    await chat.answer({ rows: [message(5)], at: 10, next: "more" });
    void chat.observer.fetchNextPage();
    cache.take(11, status(2));
    cache.take(13, status(3));
    const sent = { status: "sent" };
    await chat.answer({ rows: [message(2, sent), message(3, sent)], at: 12, next: null });
    const all = client.getQueryData<InfiniteData<Page<Message>>>(keys.chat(1));
    expect(all?.pages[1]?.rows.map((row) => row.status)).toEqual(["sent", "read"]);
  });

  it("keeps a first page true that was asked for before", async () => {
    const { client, cache } = begin();
    const chat = show<Message>(client, keys.chat(1));
    cache.take(11, wrote(6));
    cache.take(12, wrote(7, customer(2, 50)));
    await chat.answer({ rows: [message(5)], at: 10, next: null });
    expect(idsOf(client, keys.chat(1))).toEqual([5, 6]);
  });

  it("does not undo the order of customers while more of them are loading", async () => {
    const { client, cache } = begin();
    const key = keys.customerList(FILTER);
    const list = show<CustomerSummary>(client, key);
    await list.answer({ rows: [customer(3, 30), customer(2, 20)], at: 10, next: "more" });
    void list.observer.fetchNextPage();
    cache.take(11, wrote(6, customer(1, 50)));
    cache.take(12, { type: "customer_deleted", customer_id: 2 });
    await list.answer({ rows: [customer(1, 10), customer(0, 5)], at: 10, next: null });
    expect(idsOf(client, key)).toEqual([1, 3, 0]);
    cache.take(13, wrote(7, customer(0, 55)));
    expect(idsOf(client, key)).toEqual([0, 1, 3]);
  });
});

describe("after a gap", () => {
  it("fetches a chat anew that was in the background, whatever came after", async () => {
    const { client, cache } = begin();
    const before = show<Message>(client, keys.chat(1));
    await before.answer({ rows: [message(5)], at: 10, next: null });
    before.hide();
    cache.forget();
    cache.take(21, wrote(8));
    const after = show<Message>(client, keys.chat(1));
    await after.answer({ rows: [message(5), message(7)], at: 20, next: null });
    expect(idsOf(client, keys.chat(1))).toEqual([5, 7, 8]);
  });

  it("fetches anew what is on the screen", async () => {
    const { client, cache } = begin();
    const chat = show<Message>(client, keys.chat(1));
    await chat.answer({ rows: [message(5)], at: 10, next: null });
    cache.forget();
    await chat.answer({ rows: [message(5), message(7)], at: 20, next: null });
    expect(idsOf(client, keys.chat(1))).toEqual([5, 7]);
  });

  it("drops nothing that is shown, nor what events do not tell of", () => {
    const { client, cache } = begin();
    client.setQueryData(keys.session, { kind: "anyone" });
    client.setQueryData(keys.metrics, { points: [1] });
    const presence = new QueryObserver(client, { queryKey: keys.presence(1), enabled: false });
    undo.push(presence.subscribe(() => {}));
    cache.take(0, { type: "presence", customer_id: 1, at: "", present: [] });
    cache.forget();
    expect(client.getQueryData(keys.session)).toEqual({ kind: "anyone" });
    expect(client.getQueryData(keys.metrics)).toEqual({ points: [1] });
    cache.take(0, { type: "presence", customer_id: 1, at: "later", present: [] });
    expect(presence.getCurrentResult().data).toMatchObject({ at: "later" });
  });

  it("forgets the events of before a reset, whose ids mean nothing any more", async () => {
    const { client, cache } = begin();
    const chat = show<Message>(client, keys.chat(1));
    await chat.answer({ rows: [message(5)], at: 1_000, next: null });
    cache.take(1_001, wrote(6));
    cache.take(500, { type: "reset" });
    cache.take(501, wrote(4));
    await chat.answer({ rows: [message(3)], at: 500, next: null });
    expect(idsOf(client, keys.chat(1))).toEqual([3, 4]);
  });
});

describe("what events only tell to be old", () => {
  function count(client: QueryClient, queryKey: readonly unknown[], takesMs = 0) {
    let asked = 0;
    const observer = new QueryObserver(client, {
      queryKey,
      queryFn: async () => {
        asked += 1;
        await new Promise((resolve) => setTimeout(resolve, takesMs));
        return asked;
      },
    });
    undo.push(observer.subscribe(() => {}));
    return { asked: () => asked, shown: () => observer.getCurrentResult().data };
  }

  it("is fetched under lasting load too, without cutting an answer off", async () => {
    vi.useFakeTimers();
    const { client, cache } = begin();
    const failed = count(client, keys.outgoingIn("failed"), 800);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(failed.shown()).toBe(1);
    for (let each = 0; each < 100; each += 1) {
      cache.take(100 + each, status(5));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(failed.shown()).toBeGreaterThan(5);
    expect(failed.asked()).toBeLessThan(12);
  });

  it("lets a further page come before it is fetched anew", async () => {
    const { client, cache } = begin();
    const failed = show<Message>(client, keys.outgoingIn("failed"));
    await failed.answer({ rows: [message(5)], at: 10, next: "more" });
    void failed.observer.fetchNextPage();
    await vi.waitFor(() => expect(failed.asked).toHaveLength(1));
    vi.useFakeTimers();
    cache.take(11, status(5));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(failed.asked).toHaveLength(1);
    failed.asked.shift()?.({ rows: [message(2)], at: 10, next: null });
    await vi.advanceTimersByTimeAsync(100);
    expect(idsOf(client, keys.outgoingIn("failed"))).toEqual([5, 2]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(failed.asked).toHaveLength(1); // the first page, anew
  });

  it("is fetched once for a burst, and once more for what came meanwhile", async () => {
    vi.useFakeTimers();
    const { client, cache } = begin();
    const failed = count(client, keys.outgoingIn("failed"), 800);
    await vi.advanceTimersByTimeAsync(1_000);
    for (let each = 0; each < 10; each += 1) cache.take(100 + each, status(5));
    await vi.advanceTimersByTimeAsync(600);
    cache.take(200, status(5));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(failed.asked()).toBe(3);
  });

  it.each([
    ["somebody wrote", wrote(6), 2],
    ["a message went its way", status(5), 2],
    ["another customer wrote", wrote(6, customer(2, 50)), 1],
  ])("are the totals, when %s", async (_, event, asked) => {
    vi.useFakeTimers();
    const { client, cache } = begin();
    const totals = count(client, keys.totals(1));
    await vi.advanceTimersByTimeAsync(100);
    cache.take(100, event);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(totals.asked()).toBe(asked);
  });
});
