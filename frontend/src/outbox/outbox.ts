import type { QueryClient } from "@tanstack/react-query";
import { ApiError, call } from "@/api/client";
import { keys } from "@/api/keys";
import { agentOf } from "@/api/session";
import type { Message } from "@/api/types";
import { addMessage, type Pages, rowsOf } from "@/live/lists";
import { afterNewer, type Chosen, type Entry, heads, newEntry } from "./entries";
import { KeptEntries } from "./kept";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
const HELP_AFTER_MS = 3_000;
const OWN_KEPT = 500;
export const NO_ENTRIES: readonly Entry[] = [];

/** Sends what an agent wrote, in order per customer, until the server has it. */
export class Outbox {
  readonly entries: KeptEntries;
  /** Keys of messages that this page has sent: in a chat they are no news to their writer. */
  private readonly own = new Set<string>();
  private readonly busy = new Set<number>();
  /** Entries that this tab sends itself, as the tab that leads did not. */
  private readonly helped = new Set<string>();
  /** What was kept when this tab looked last. */
  private seen: readonly Entry[] = [];
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly leaving = new AbortController();
  private stopListening = () => {};
  private isLeading = false;

  constructor(
    /** Whose it is: the id of an agent, or "anyone". */
    readonly holder: string,
    private readonly client: QueryClient,
  ) {
    this.entries = new KeptEntries(holder);
  }

  /** Begins to send: at once where no other tab does. Returns how to stop. */
  start(): () => void {
    this.seen = this.entries.get();
    this.stopListening = this.entries.subscribe(() => {
      this.noticeGone();
      this.work();
    });
    window.addEventListener("online", this.hurry);
    // They may have been this tab's before a reload.
    for (const { key } of this.seen) this.helpSoon(key);
    this.lead();
    return () => this.stop();
  }

  private lead(): void {
    const begin = () => {
      this.isLeading = true;
      this.work();
    };
    if (!navigator.locks) {
      begin(); // two tabs at once are harmless: the key is the same
      return;
    }
    const { signal } = this.leaving;
    const held = navigator.locks.request(`crm-outbox ${this.holder}`, { signal }, () => {
      if (signal.aborted) return;
      begin();
      return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    });
    held.catch(() => {}); // closed while waiting
  }

  /** Takes a message; from here on it is not lost. */
  send(chosen: Chosen): void {
    const entry = newEntry(chosen);
    this.entries.put(entry);
    this.helpSoon(entry.key);
    this.hurry();
  }

  /** Sends an entry that was asked about or refused; what came after the question is news again. */
  confirm(key: string): void {
    this.entries.change(key, { state: "waiting", newer: [], detail: null, isErased: false });
    this.helpSoon(key);
    this.hurry();
  }

  /** Forgets an entry; returns it, so that its text can be written on. */
  withdraw(key: string): Entry | undefined {
    const entry = this.entries.find(key);
    this.seen = this.seen.filter((each) => each.key !== key);
    this.entries.remove(key);
    return entry;
  }

  /** A customer is erased: so is what was written to them, but its writer is told. */
  erase(customerId: number): void {
    const change = { state: "refused", isErased: true, content: "", template: null } as const;
    for (const entry of this.entries.get()) {
      if (entry.customerId === customerId) {
        this.entries.change(entry.key, { ...change, newer: [], detail: null });
      }
    }
  }

  /** Tries again now. */
  readonly hurry = (): void => {
    this.failures = 0;
    this.work();
  };

  private stop(): void {
    this.leaving.abort();
    this.stopListening();
    clearTimeout(this.timer);
    window.removeEventListener("online", this.hurry);
  }

  /** The tab that leads may be asleep, or not know of an entry that storage did not take. */
  private helpSoon(key: string): void {
    setTimeout(() => {
      this.helped.add(key);
      this.work();
    }, HELP_AFTER_MS);
  }

  private work(): void {
    if (this.leaving.signal.aborted) return;
    clearTimeout(this.timer);
    const entries = this.entries.get();
    const helped = new Set(
      entries.filter(({ key }) => this.helped.has(key)).map(({ customerId }) => customerId),
    );
    for (const entry of heads(entries)) {
      const isOurs = this.isLeading || helped.has(entry.customerId);
      if (isOurs && !this.busy.has(entry.customerId)) void this.deliver(entry);
    }
  }

  /** What another tab has sent is shown there alone: here it comes by the stream, or is fetched. */
  private noticeGone(): void {
    const before = this.seen;
    this.seen = this.entries.get();
    const kept = new Set(this.seen.map(({ key }) => key));
    for (const { key, customerId } of before) {
      if (kept.has(key)) continue;
      this.helped.delete(key);
      const queryKey = keys.chat(customerId);
      const chat = this.client.getQueryData<Pages<Message>>(queryKey);
      const isShown = rowsOf(chat).some((message) => message.client_message_id === key);
      if (chat && !isShown) void this.client.invalidateQueries({ queryKey });
    }
  }

  private async deliver(entry: Entry): Promise<void> {
    this.busy.add(entry.customerId);
    let isLater = false;
    try {
      this.own.add(entry.key);
      this.store(entry, await post(entry, agentOf(this.holder)));
      this.failures = 0;
    } catch (error) {
      isLater = this.settle(entry, error);
    } finally {
      this.busy.delete(entry.customerId);
    }
    if (this.leaving.signal.aborted) return;
    if (isLater) this.workLater();
    else this.work();
  }

  private store(entry: Entry, message: Message): void {
    // The chat shows the message before its entry leaves, so nothing flickers.
    this.client.setQueryData<Pages<Message>>(
      keys.chat(entry.customerId),
      (pages) => pages && addMessage(pages, message),
    );
    this.withdraw(entry.key);
    if (this.own.size > OWN_KEPT) this.own.clear();
  }

  /** Returns whether to try again after a pause. */
  private settle(entry: Entry, error: unknown): boolean {
    if (!(error instanceof ApiError) || error.isTemporary || error.status === 401) {
      if (error instanceof ApiError && error.status === 401) {
        void this.client.invalidateQueries({ queryKey: keys.session });
      }
      return true;
    }
    const newer = error.body.newer as Message[] | undefined;
    if (error.status === 409 && newer) {
      const count = Number(error.body.newer_count ?? newer.length);
      const change = afterNewer(entry, newer, count, (message) => this.isOwn(message));
      this.entries.change(entry.key, change);
    } else {
      const { status: refusal, detail } = error;
      const isErased = refusal === 404;
      this.entries.change(entry.key, { state: "refused", detail, refusal, isErased });
    }
    return false;
  }

  /** Sent by this page, or by the same agent elsewhere. */
  private isOwn({ client_message_id, author }: Message): boolean {
    if (this.own.has(client_message_id ?? "")) return true;
    return author?.kind === "agent" && author.id === agentOf(this.holder);
  }

  private workLater(): void {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.work(), pause);
  }
}

async function post(entry: Entry, agent: number | null): Promise<Message> {
  const { body } = await call<Message>("/messages/send", {
    method: "POST",
    agent,
    headers: { "Idempotency-Key": entry.key },
    body: {
      customer_id: entry.customerId,
      content: entry.content,
      ...(entry.template ? { template: entry.template } : {}),
      ...(entry.lastSeenId === null ? {} : { last_seen_id: entry.lastSeenId }),
    },
  });
  return body;
}
