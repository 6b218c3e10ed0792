import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { keys } from "@/api/keys";
import type { CustomerSummary, LiveEvent, Message } from "@/api/types";
import { applyEvent } from "./apply";
import { type CustomerFilter, chatAfter, customersAfter, type Pages, type Placed } from "./lists";
import { RecentEvents } from "./recent";
import { Refresher } from "./refresher";

/** The first part of the key of all that events keep true. */
const LIVE: ReadonlySet<unknown> = new Set(
  [
    keys.customers,
    keys.customer(0),
    keys.chat(0),
    keys.presence(0),
    keys.gateway,
    keys.outgoing,
  ].map(([name]) => name),
);

/** Keeps what was fetched up to date with the events. */
export class LiveCache {
  private readonly recent = new RecentEvents();
  private readonly refresher: Refresher;

  constructor(private readonly client: QueryClient) {
    this.refresher = new Refresher(client);
  }

  /** Watches for answers, which may be older than events that came before them; returns how to stop. */
  watch(): () => void {
    return this.client.getQueryCache().subscribe((told) => {
      if (told.type !== "updated" || told.action.type !== "success" || told.action.manual) return;
      this.catchUp(told.query.queryKey);
    });
  }

  /** Brings all that was fetched up to date with one event. */
  take(id: number, event: LiveEvent): void {
    if (event.type === "reset") {
      this.recent.clear(); // after a restore the ids may be lower
      this.forget();
      return;
    }
    if (id) this.recent.add(id, event);
    applyEvent(this.client, { id, event }, this.refresher);
  }

  /**
   * Events were missed. What is on the screen is fetched anew; the rest is dropped, since the next
   * event would make it look true.
   */
  forget(): void {
    this.client.removeQueries({
      predicate: ({ queryKey, observers }) => LIVE.has(queryKey[0]) && observers.length === 0,
    });
    void this.client.invalidateQueries();
  }

  /** Fetches anew what was refused. */
  retry(): void {
    void this.client.invalidateQueries({ predicate: ({ state }) => state.status === "error" });
  }

  /**
   * Brings an answer up to date with the events that came while it was under way. All pages: a
   * further one is put to those that were there when it was asked for.
   */
  private catchUp(key: QueryKey): void {
    const [name, which] = key;
    if (name === keys.customers[0]) {
      this.client.setQueryData<Pages<CustomerSummary>>(key, (pages) =>
        this.replay(pages, (now, placed) => customersAfter(now, placed, which as CustomerFilter)),
      );
    }
    if (name === keys.chat(0)[0]) {
      this.client.setQueryData<Pages<Message>>(key, (pages) =>
        this.replay(pages, (now, placed) =>
          isOf(placed.event, which) ? chatAfter(now, placed) : now,
        ),
      );
    }
  }

  private replay<T>(
    pages: Pages<T> | undefined,
    apply: (pages: Pages<T>, placed: Placed) => Pages<T>,
  ): Pages<T> | undefined {
    return pages && this.recent.after(pages.pages[0]?.at ?? 0).reduce(apply, pages);
  }
}

function isOf(event: LiveEvent, customerId: unknown): boolean {
  return "customer_id" in event && event.customer_id === customerId;
}
