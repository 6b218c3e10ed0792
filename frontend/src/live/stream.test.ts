import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Stream } from "./stream";
import { FakeEventSource, fakeBrowser } from "./testKit";

const handlers = { onEvent: () => {}, onState: () => {}, onRefused: () => {} };
const opened = () => FakeEventSource.all.map((source) => source.address);

let stream: Stream;
beforeEach(() => {
  vi.useFakeTimers();
  fakeBrowser();
  stream = new Stream("/stream", handlers, 7);
  FakeEventSource.newest.open();
});
afterEach(() => {
  stream.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** What a clock shows that went on while no timer ran. */
function sleep(ms: number) {
  vi.setSystemTime(Date.now() + ms);
  vi.advanceTimersByTime(10_000);
}

describe("a stream", () => {
  it("is opened anew where it was, after the machine slept", () => {
    FakeEventSource.newest.send(9, {});
    sleep(60_000);
    expect(opened()).toEqual(["/stream?lastEventId=7", "/stream?lastEventId=9"]);
    expect(FakeEventSource.all[0]?.readyState).toBe(FakeEventSource.CLOSED);
  });

  it("stays as it is while the machine is awake", () => {
    vi.advanceTimersByTime(600_000);
    sleep(15_000);
    expect(opened()).toHaveLength(1);
  });

  it("is not taken for asleep where the browser slows the timers of a hidden page", () => {
    vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    sleep(50_000);
    expect(opened()).toHaveLength(1);
    sleep(100_000);
    expect(opened()).toHaveLength(2);
  });

  it("asks again for an event that nobody could make sense of", () => {
    stream.close();
    stream = new Stream("/stream", { ...handlers, onEvent: (_id, data) => JSON.parse(data) }, 7);
    FakeEventSource.newest.open();
    FakeEventSource.newest.send(8, {});
    const broken = { lastEventId: "9", data: '{"type":"new_cust' };
    expect(() => FakeEventSource.newest.onmessage?.(broken)).toThrow(SyntaxError);
    FakeEventSource.newest.onerror?.();
    vi.advanceTimersByTime(2_000);
    expect(opened().at(-1)).toBe("/stream?lastEventId=8");
  });

  it("sleeps for good once it is closed", () => {
    stream.close();
    sleep(60_000);
    expect(opened()).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
