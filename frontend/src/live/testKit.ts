import { vi } from "vitest";
import type { CustomerSummary, Message } from "@/api/types";

export function customer(
  id: number,
  minute: number | null,
  more: Partial<CustomerSummary> = {},
): CustomerSummary {
  const time =
    minute === null ? null : `2026-01-01T10:${String(minute).padStart(2, "0")}:00.000000`;
  return {
    id,
    name: `Customer ${id}`,
    phone: `6012345${id}`,
    lid: null,
    photo_url: null,
    status: "new",
    last_message: "Hello",
    last_timestamp: time,
    unread_count: 0,
    window_closes_at: null,
    ...more,
  };
}

export function message(id: number, more: Partial<Message> = {}): Message {
  return {
    id,
    customer_id: 1,
    direction: "inbound",
    content: `Text ${id}`,
    timestamp: "2026-01-01T10:00:00.000000",
    ack: 2,
    whatsapp_id: null,
    status: "delivered",
    error: null,
    attempts: 0,
    media: null,
    template: null,
    author: null,
    client_message_id: null,
    ...more,
  };
}

/** An event stream whose server is the test. */
export class FakeEventSource {
  static readonly CLOSED = 2;
  static all: FakeEventSource[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { lastEventId: string; data: string }) => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(readonly address: string) {
    FakeEventSource.all.push(this);
  }

  static get newest(): FakeEventSource {
    const source = FakeEventSource.all.at(-1);
    if (!source) throw new Error("No stream was opened.");
    return source;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  send(id: number, event: unknown): void {
    this.onmessage?.({ lastEventId: String(id), data: JSON.stringify(event) });
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED;
  }
}

/** Channels that deliver at once, as if each were in another tab. */
export class FakeChannel {
  static all = new Set<FakeChannel>();
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor(readonly name: string) {
    FakeChannel.all.add(this);
  }

  postMessage(data: unknown): void {
    for (const each of FakeChannel.all) {
      if (each !== this && each.name === this.name) each.onmessage?.({ data });
    }
  }

  close(): void {
    FakeChannel.all.delete(this);
  }
}

/** Gives the lock to whoever asks first, and to nobody else. */
function makeLocks() {
  let isTaken = false;
  return {
    request: async (_name: string, _options: unknown, begin: () => Promise<void>) => {
      if (isTaken) return new Promise(() => {});
      isTaken = true;
      return begin();
    },
  };
}

/** Puts a browser in place whose network is the test's; undone by `vi.unstubAllGlobals`. */
export function fakeBrowser({ hasLocks = true } = {}): void {
  FakeEventSource.all = [];
  FakeChannel.all.clear();
  vi.stubGlobal("EventSource", FakeEventSource);
  vi.stubGlobal("BroadcastChannel", FakeChannel);
  Object.defineProperty(navigator, "locks", {
    configurable: true,
    value: hasLocks ? makeLocks() : undefined,
  });
}
