import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render } from "@testing-library/react";
import { useEffect } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LiveProvider, useLive } from "@/live/LiveProvider";
import { notify } from "@/state/settings";
import { Looking } from "./looking";
import { useNotifications } from "./useNotifications";

let notes: string[];
let streams: { onmessage: (event: { lastEventId: string; data: string }) => void }[];
let otherTabs: Looking[];

class Note {
  static readonly permission = "granted";
  constructor(_: string, { body }: { body: string }) {
    notes.push(body);
  }
}

class Stream {
  onmessage = () => {};
  constructor() {
    streams.push(this);
  }
  close() {}
}

beforeEach(() => {
  [notes, streams, otherTabs] = [[], [], []];
  vi.stubGlobal("EventSource", Stream);
  vi.stubGlobal("Notification", Note);
  notify.set(true);
});

afterEach(() => {
  cleanup();
  for (const tab of otherTabs) tab.close();
  notify.set(false);
  vi.unstubAllGlobals();
});

function Inbox({ selected }: { selected: number | null }) {
  const { begin } = useLive();
  useEffect(() => begin(0), [begin]);
  useNotifications(selected, () => {});
  return null;
}

/** A page that hears of a message of customer 7. */
function hear({ selected, id = 1 }: { selected: number | null; id?: number }) {
  if (streams.length === 0) {
    render(
      <QueryClientProvider client={new QueryClient()}>
        <LiveProvider>
          <Inbox selected={selected} />
        </LiveProvider>
      </QueryClientProvider>,
    );
  }
  const customer = { id: 7, name: "Mia" };
  const message = { id, customer_id: 7, content: `message ${id}` };
  const data = JSON.stringify({ type: "inbound_message", customer_id: 7, customer, message });
  streams[0]?.onmessage({ lastEventId: String(id), data });
}

/** After this, whoever would have been told has been. */
const patience = () => new Promise((resolve) => setTimeout(resolve, 500));

it("says nothing until the agent wants it", async () => {
  localStorage.clear();
  hear({ selected: null });
  await patience();
  expect(notes).toEqual([]);
});

it("tells of a chat that nobody looks at", async () => {
  hear({ selected: null });
  await vi.waitFor(() => expect(notes).toEqual(["message 1"]));
});

it("says nothing of the chat that one looks at here", async () => {
  hear({ selected: 7 });
  await patience();
  expect(notes).toEqual([]);
});

it("says nothing of the chat that one looks at in another tab", async () => {
  otherTabs = [new Looking((id) => id === 7)];
  hear({ selected: null });
  await patience();
  expect(notes).toEqual([]);
});

it("tells of a chat while another tab shows another one, or is gone", async () => {
  const gone = new Looking(() => true);
  gone.close();
  otherTabs = [new Looking((id) => id === 8)];
  hear({ selected: null });
  await vi.waitFor(() => expect(notes).toEqual(["message 1"]));
});

it("goes on where the browser refuses to make one, as Chrome on Android does", async () => {
  const failures: unknown[] = [];
  const onFailure = (reason: unknown) => failures.push(reason);
  process.on("unhandledRejection", onFailure);
  let tries = 0;
  class Refusing {
    static readonly permission = "granted";
    constructor() {
      tries += 1;
      throw new TypeError("Illegal constructor");
    }
  }
  vi.stubGlobal("Notification", Refusing);
  hear({ selected: null });
  hear({ selected: null, id: 2 });
  await vi.waitFor(() => expect(tries).toBe(2));
  await new Promise((resolve) => setTimeout(resolve));
  process.off("unhandledRejection", onFailure);
  expect(failures).toEqual([]);
});
