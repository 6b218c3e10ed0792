import type { LiveEvent } from "@/api/types";
import type { Placed } from "./lists";

const KEPT = 1_000;

/** The newest events, with which an answer that was under way while they came is brought up to date. */
export class RecentEvents {
  private events: Placed[] = [];

  add(id: number, event: LiveEvent): void {
    this.events.push({ id, event });
    if (this.events.length > 2 * KEPT) this.events = this.events.slice(-KEPT);
  }

  clear(): void {
    this.events = [];
  }

  /** Those after `at`, in order. */
  after(at: number): Placed[] {
    return this.events.filter((each) => each.id > at);
  }
}
