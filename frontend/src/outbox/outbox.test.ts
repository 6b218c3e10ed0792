import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
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

const hello = { customerId: 1, content: "Hello", template: null, lastSeenId: 4 };

describe("the outbox", () => {
  let stop = () => {};
  const open = () => {
    const outbox = new Outbox("anyone", new QueryClient());
    stop = outbox.start();
    return outbox;
  };

  beforeEach(() => {
    localStorage.clear();
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
    expect(asked.map(({ body }) => body.last_seen_id)).toEqual([4, undefined]);
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
});
