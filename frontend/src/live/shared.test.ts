import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SharedStream } from "./shared";
import { FakeEventSource, fakeBrowser } from "./testKit";

let open: SharedStream[] = [];
beforeEach(() => fakeBrowser());
afterEach(() => {
  for (const tab of open) tab.close();
  open = [];
  vi.unstubAllGlobals();
});

/** A tab whose list was true at an event. */
function tab(at: number | null) {
  const ids: number[] = [];
  const states: string[] = [];
  const onGap = vi.fn();
  const shared = new SharedStream("/stream", at, {
    onEvent: (id) => ids.push(id),
    onState: (state) => states.push(state),
    onRefused: () => {},
    onGap,
  });
  open.push(shared);
  return { shared, ids, states, onGap };
}

const send = (id: number) => FakeEventSource.newest.send(id, { type: "gateway_status" });

describe("tabs that share a stream", () => {
  it("tell each event to all, once", () => {
    const leader = tab(10);
    const other = tab(10);
    send(11);
    send(12);
    expect(FakeEventSource.all).toHaveLength(1);
    expect([leader.ids, other.ids]).toEqual([
      [11, 12],
      [11, 12],
    ]);
    expect(other.onGap).not.toHaveBeenCalled();
  });

  it("find out at once what was told between a tab's list and its first word", () => {
    tab(10);
    send(11);
    const late = tab(10);
    expect(late.onGap).toHaveBeenCalledOnce();
    send(12);
    expect(late.ids).toEqual([12]);
    expect(late.onGap).toHaveBeenCalledOnce();
  });

  it("miss nothing where the list was true at the last event, or later", () => {
    tab(10);
    send(11);
    expect(tab(11).onGap).not.toHaveBeenCalled();
    const ahead = tab(12);
    send(12);
    send(13);
    expect(ahead.ids).toEqual([13]);
    expect(ahead.onGap).not.toHaveBeenCalled();
  });

  it("learn their place from the one that has the stream where they have none", () => {
    tab(10);
    send(11);
    const placeless = tab(null);
    expect(placeless.onGap).not.toHaveBeenCalled();
    FakeEventSource.newest.send(11, { type: "gateway_status" });
    expect(placeless.ids).toEqual([]);
  });

  it("have it opened anew by the one that has it", () => {
    tab(10);
    const other = tab(10);
    other.shared.reopen();
    expect(FakeEventSource.all).toHaveLength(2);
  });

  it("doubt it where a call found no server, but only while it seems open", () => {
    tab(10);
    const other = tab(10);
    other.shared.doubt();
    expect(FakeEventSource.all).toHaveLength(1);
    FakeEventSource.newest.open();
    expect(other.states.at(-1)).toBe("open");
    other.shared.doubt();
    other.shared.doubt();
    expect(FakeEventSource.all).toHaveLength(2);
    expect(other.states.at(-1)).toBe("connecting");
  });
});

describe("an event that nobody could make sense of", () => {
  it("is taken when it comes again", () => {
    const types: string[] = [];
    const shared = new SharedStream("/stream", 10, {
      onEvent: (_id, data) => types.push(JSON.parse(data).type),
      onState: () => {},
      onRefused: () => {},
      onGap: () => {},
    });
    open.push(shared);
    const broken = { lastEventId: "11", data: '{"type":"gateway' };
    expect(() => FakeEventSource.newest.onmessage?.(broken)).toThrow(SyntaxError);
    shared.reopen();
    expect(FakeEventSource.newest.address).toBe("/stream?lastEventId=10");
    send(11);
    send(11);
    expect(types).toEqual(["gateway_status"]);
  });
});

describe("tabs without locks", () => {
  it("believe only the stream that each has of its own", () => {
    fakeBrowser({ hasLocks: false });
    const one = tab(10);
    const first = FakeEventSource.newest;
    const two = tab(10);
    expect(FakeEventSource.all).toHaveLength(2);
    first.open();
    first.send(15, { type: "gateway_status" });
    expect(one.ids).toEqual([15]);
    expect(two.ids).toEqual([]);
    expect(two.states).toEqual(["connecting"]);
    expect(two.onGap).not.toHaveBeenCalled();
    send(11);
    expect(two.ids).toEqual([11]);
  });
});
