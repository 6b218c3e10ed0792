import type { QueryClient } from "@tanstack/react-query";
import { ApiError, call } from "@/api/client";
import { keys } from "@/api/keys";
import type { Message } from "@/api/types";
import { addMessage, type Pages } from "@/live/lists";
import { makeStored, type Stored } from "@/state/stored";
import { afterNewer, changed, type Entry, heads, isEntryList, newEntry } from "./entries";

const LOCK = "crm-outbox";
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
const OWN_KEPT = 500;
export const NO_ENTRIES: readonly Entry[] = [];

/** Sends what an agent wrote, in order per customer, until the server has it. */
export class Outbox {
  readonly entries: Stored<readonly Entry[]>;
  /** Keys of messages that this page has sent: in a chat they are no news to their writer. */
  private readonly own = new Set<string>();
  private readonly busy = new Set<number>();
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly leaving = new AbortController();
  private stopListening = () => {};
  private isMine = false;

  constructor(
    agent: string,
    private readonly client: QueryClient,
  ) {
    this.entries = makeStored(`crm.outbox.${agent}`, NO_ENTRIES, isEntryList);
  }

  /** Begins to send, as soon as no other tab does. Returns how to stop. */
  start(): () => void {
    const begin = () => {
      this.isMine = true;
      this.stopListening = this.entries.subscribe(() => this.work());
      window.addEventListener("online", this.hurry);
      this.work();
    };
    if (navigator.locks) {
      const { signal } = this.leaving;
      const held = navigator.locks.request(LOCK, { signal }, () => {
        begin();
        return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      });
      held.catch(() => {}); // closed while waiting
    } else {
      begin(); // two tabs at once are harmless: the key is the same
    }
    return () => this.stop();
  }

  /** Takes a message; from here on it is not lost. */
  send(chosen: Pick<Entry, "customerId" | "content" | "template" | "lastSeenId">): void {
    this.entries.set([...this.entries.get(), newEntry(chosen)]);
    this.hurry();
  }

  /** Sends an entry that was asked about or refused. */
  confirm(key: string): void {
    this.change(key, { state: "waiting", lastSeenId: null, newer: [], detail: null });
    this.hurry();
  }

  /** Forgets an entry; returns it, so that its text can be written on. */
  withdraw(key: string): Entry | undefined {
    const entry = this.entries.get().find((each) => each.key === key);
    this.entries.set(this.entries.get().filter((each) => each.key !== key));
    return entry;
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
    this.isMine = false;
  }

  private work(): void {
    if (!this.isMine) return;
    clearTimeout(this.timer);
    for (const entry of heads(this.entries.get())) {
      if (!this.busy.has(entry.customerId)) void this.deliver(entry);
    }
  }

  private async deliver(entry: Entry): Promise<void> {
    this.busy.add(entry.customerId);
    let isLater = false;
    try {
      this.own.add(entry.key);
      this.store(entry, await post(entry));
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
      const isOwn = (message: Message) => this.own.has(message.client_message_id ?? "");
      this.change(entry.key, afterNewer(entry, newer, count, isOwn));
    } else {
      this.change(entry.key, { state: "refused", detail: error.message });
    }
    return false;
  }

  private change(key: string, change: Partial<Entry>): void {
    this.entries.set(changed(this.entries.get(), key, change));
  }

  private workLater(): void {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.work(), pause);
  }
}

async function post(entry: Entry): Promise<Message> {
  const { body } = await call<Message>("/messages/send", {
    method: "POST",
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
