import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { setHolder } from "@/api/client";
import { keys } from "@/api/keys";
import { newEntry } from "./entries";
import { KeptEntries } from "./kept";
import { Outbox } from "./outbox";

type Answer = { status: number; body: unknown } | "broken";

/** A server that answers as told, in turn, and remembers what it was asked. */
function serve(...answers: Answer[]) {
  const asked: { key: string; body: Record<string, unknown> }[] = [];
  vi.stubGlobal(
    "fetch",
    vi.fn(async (_: string, init: RequestInit) => {
      const headers = init.headers as Record<string, string>;
      asked.push({ key: headers["Idempotency-Key"] ?? "", body: JSON.parse(String(init.body)) });
      const answer = answers.shift() ?? { status: 201, body: { id: 1 } };
      if (answer === "broken") throw new TypeError("no network");
      return new Response(JSON.stringify(answer.body), { status: answer.status });
    }),
  );
  return asked;
}

/** Locks that only other tabs hold: this one waits, and does not lead. */
function followAnother() {
  const request = vi.fn(() => new Promise(() => {}));
  vi.stubGlobal("navigator", { ...navigator, locks: { request } });
  return request;
}

/** What another tab does to the entries; this one is told of the key. */
function inOtherTab(agent: string, key: string, act: (entries: KeptEntries) => void) {
  act(new KeptEntries(agent));
  window.dispatchEvent(new StorageEvent("storage", { key: `crm.outbox.${agent}.${key}` }));
}

const hello = { customerId: 1, content: "Hello", template: null, lastSeenId: 4 };

describe("the outbox", () => {
  let stop = () => {};
  const open = (holder = "anyone", client = new QueryClient()) => {
    const outbox = new Outbox(holder, client);
    stop = outbox.start();
    return outbox;
  };

  beforeEach(() => {
    localStorage.clear();
    setHolder(null);
    vi.useFakeTimers();
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("sends the same key until the server has the message", async () => {
    const asked = serve("broken", { status: 503, body: {} }, { status: 201, body: { id: 7 } });
    const outbox = open();
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(1);
    expect(outbox.entries.get()).toEqual([]);
  });

  it("keeps the order of one customer through a failure", async () => {
    const asked = serve("broken");
    const outbox = open();
    outbox.send({ ...hello, content: "First" });
    outbox.send({ ...hello, content: "Second" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked.map(({ body }) => body.content).slice(-2)).toEqual(["First", "Second"]);
  });

  it("goes on after a reload", async () => {
    serve("broken");
    open().send(hello);
    await vi.advanceTimersByTimeAsync(1);
    stop();
    const asked = serve();
    open();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.map(({ body }) => body.content)).toEqual(["Hello"]);
  });

  it("asks its writer about what came meanwhile, and sends it when told to", async () => {
    const newer = [{ id: 5, client_message_id: null, content: "Wait" }];
    const asked = serve({ status: 409, body: { detail: "Newer.", newer, newer_count: 1 } });
    const outbox = open();
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(1);
    const [entry] = outbox.entries.get();
    expect(entry).toMatchObject({ state: "asking", newer: [{ content: "Wait" }] });
    outbox.confirm(entry?.key ?? "");
    await vi.advanceTimersByTimeAsync(1);
    expect(asked.map(({ body }) => body.last_seen_id)).toEqual([4, 5]);
    expect(outbox.entries.get()).toEqual([]);
  });

  it("shows why a message was refused, and keeps it", async () => {
    serve({ status: 422, body: { detail: "Too long." } });
    const outbox = open();
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(1);
    expect(outbox.entries.get()[0]).toMatchObject({ state: "refused", detail: "Too long." });
    expect(outbox.withdraw(outbox.entries.get()[0]?.key ?? "")?.content).toBe("Hello");
  });

  it("keeps with which status a message was refused where no reason came", async () => {
    serve({ status: 413, body: "<h1>Too large</h1>" });
    const outbox = open();
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(1);
    const refused = { state: "refused", refusal: 413, detail: null };
    expect(outbox.entries.get()).toMatchObject([refused]);
  });

  it("asks again about what comes after the question", async () => {
    const first = [{ id: 5, client_message_id: null, content: "Wait" }];
    const second = [{ id: 6, client_message_id: null, content: "Stop" }];
    serve(
      { status: 409, body: { detail: "Newer.", newer: first, newer_count: 1 } },
      { status: 409, body: { detail: "Newer.", newer: second, newer_count: 1 } },
    );
    const outbox = open();
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(1);
    outbox.confirm(outbox.entries.get()[0]?.key ?? "");
    await vi.advanceTimersByTimeAsync(1);
    expect(outbox.entries.get()).toMatchObject([{ state: "asking", newer: second }]);
  });

  it("lets a refused message keep what its writer had seen", async () => {
    const asked = serve({ status: 422, body: { detail: "Too long." } });
    const outbox = open();
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(1);
    outbox.confirm(outbox.entries.get()[0]?.key ?? "");
    await vi.advanceTimersByTimeAsync(1);
    expect(asked.map(({ body }) => body.last_seen_id)).toEqual([4, 4]);
  });

  it("knows what the same agent wrote in another tab or browser", async () => {
    const author = { kind: "agent", id: 7, name: "Mia" };
    const newer = [{ id: 5, client_message_id: "elsewhere", author }];
    const asked = serve({ status: 409, body: { detail: "Newer.", newer, newer_count: 1 } });
    setHolder({ id: 7, csrf_token: "token" });
    const outbox = open("7");
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked.map(({ body }) => body.last_seen_id)).toEqual([4, 5]);
    expect(outbox.entries.get()).toEqual([]);
  });

  it("sends nothing of an agent while another is signed in", async () => {
    const asked = serve();
    setHolder({ id: 8, csrf_token: "token" });
    const outbox = open("7");
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual([]);
    expect(outbox.entries.get()).toHaveLength(1);
  });

  it("leads for its own agent alone", () => {
    const request = followAnother();
    open("7");
    expect(request.mock.calls[0]).toContain("crm-outbox 7");
  });

  it("leaves a message to the tab that leads, but not for long", async () => {
    followAnother();
    const asked = serve();
    const outbox = open();
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(1);
    expect(outbox.entries.get()).toEqual([]);
  });

  it("sends what storage does not take, though another tab leads", async () => {
    followAnother();
    const asked = serve();
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    const outbox = open();
    outbox.send(hello);
    expect(outbox.entries.get()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(4_000);
    vi.restoreAllMocks();
    expect(asked.map(({ body }) => body.content)).toEqual(["Hello"]);
    expect(outbox.entries.get()).toEqual([]);
  });

  it("has a chat fetched where another tab sent a message that it does not show", async () => {
    followAnother();
    const client = new QueryClient();
    const rows = [{ id: 1, client_message_id: "shown" }];
    client.setQueryData(keys.chat(1), { pages: [{ rows, at: 0, next: null }], pageParams: [null] });
    const isAsked = () => client.getQueryState(keys.chat(1))?.isInvalidated;
    open("anyone", client);
    for (const key of ["shown", "missing"]) {
      const entry = { ...newEntry(hello), key };
      inOtherTab("anyone", key, (entries) => entries.put(entry));
    }
    inOtherTab("anyone", "shown", (entries) => entries.remove("shown"));
    expect(isAsked()).toBe(false);
    inOtherTab("anyone", "missing", (entries) => entries.remove("missing"));
    expect(isAsked()).toBe(true);
  });

  it("tells of what was written to a customer who was erased, without its text", async () => {
    serve("broken", { status: 404, body: { detail: "There is no such customer." } });
    const outbox = open();
    outbox.send(hello);
    await vi.advanceTimersByTimeAsync(1);
    outbox.erase(1);
    expect(outbox.entries.get()).toMatchObject([{ state: "refused", isErased: true, content: "" }]);
    outbox.send({ ...hello, customerId: 2 });
    await vi.advanceTimersByTimeAsync(1);
    expect(outbox.entries.get()[1]).toMatchObject({ state: "refused", isErased: true });
  });
});
