import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { RouterContext } from "next/dist/shared/lib/router-context.shared-runtime";
import type { NextRouter } from "next/router";
import { useEffect } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LiveEvent } from "@/api/types";
import { LiveProvider, useLive } from "@/live/LiveProvider";
import { type Entry, newEntry } from "@/outbox/entries";
import { KeptEntries } from "@/outbox/kept";
import { OutboxProvider } from "@/outbox/OutboxProvider";
import { StatusBar } from "./StatusBar";

/** The stream of the page: events come when the test says so. */
class FakeStream {
  static last: FakeStream;
  onmessage: (event: { lastEventId: string; data: string }) => void = () => {};
  constructor() {
    FakeStream.last = this;
  }
  close() {}
}

function happen(id: number, event: LiveEvent) {
  act(() => FakeStream.last.onmessage({ lastEventId: `${id}`, data: JSON.stringify(event) }));
}

function OpenStream() {
  const { begin } = useLive();
  useEffect(() => begin(0), [begin]);
  return null;
}

function open(openChat?: number) {
  const router = { query: { c: openChat && `${openChat}` }, prefetch: async () => {} };
  render(
    <RouterContext.Provider value={router as unknown as NextRouter}>
      <QueryClientProvider client={new QueryClient()}>
        <LiveProvider>
          <OutboxProvider>
            <OpenStream />
            <StatusBar />
          </OutboxProvider>
        </LiveProvider>
      </QueryClientProvider>
    </RouterContext.Provider>,
  );
}

const kept = new KeptEntries("anyone");

function keep(customerId: number, more: Partial<Entry>) {
  const chosen = { customerId, content: "Hello", template: null, lastSeenId: 4 };
  kept.put({ ...newEntry(chosen), ...more });
}

beforeEach(() => {
  localStorage.clear();
  vi.stubGlobal("EventSource", FakeStream);
  vi.stubGlobal("fetch", async (path: string) => {
    if (path.endsWith("/auth/state")) return Response.json({ required: false, me: null });
    if (path.endsWith("/gateway/status")) return Response.json({ ready: true, state: "ready" });
    throw new TypeError("no network");
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("the status bar", () => {
  it("leads to messages that wait for their writer, but for those of the open chat", async () => {
    keep(1, { state: "asking" });
    keep(2, { state: "refused" });
    keep(3, {});
    open(1);
    await screen.findByText(/^One of your messages/);
    const link = screen.getByRole("link", { name: "Open chat" });
    expect(link.getAttribute("href")).toBe("/?c=2");
  });

  it("counts them", async () => {
    keep(1, { state: "asking" });
    open();
    await screen.findByText(/^One of your messages/);
    act(() => {
      keep(2, { state: "refused" });
      window.dispatchEvent(new StorageEvent("storage", { key: null }));
    });
    await screen.findByText(/^2 of your messages/);
  });

  it("says what was not sent because its customer was erased, until that is discarded", async () => {
    keep(1, { state: "asking" });
    open(1);
    await vi.waitFor(() => {
      happen(Date.now(), { type: "customer_deleted", customer_id: 1 });
      expect(screen.queryByText(/customer was erased/)).not.toBeNull();
    });
    expect(kept.get()).toMatchObject([{ content: "", isErased: true }]);
    await userEvent.click(screen.getByRole("button", { name: "Discard" }));
    expect(screen.queryByText(/customer was erased/)).toBeNull();
    expect(kept.get()).toEqual([]);
  });
});
