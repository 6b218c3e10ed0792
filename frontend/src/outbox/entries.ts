import type { Message, Template } from "@/api/types";

/** A message on its way from the click to the server, which keeps it through reloads. */
export interface Entry {
  /** Made at the click; the server stores one message for it, however often it is sent. */
  readonly key: string;
  readonly customerId: number;
  readonly content: string;
  readonly template: Template | null;
  /** The newest message the writer had seen; null: send whatever there is. */
  readonly lastSeenId: number | null;
  readonly writtenAt: string;
  /** Which of this page it is: several may be written in one millisecond. */
  readonly turn: number;
  readonly state: "waiting" | "asking" | "refused";
  /** Why it was refused, in the server's words; null where it gave none. */
  readonly detail: string | null;
  /** With which status it was refused; one that an older page kept has none. */
  readonly refusal?: number;
  /** What the writer had not seen. */
  readonly newer: readonly Message[];
  /** Its customer was erased: it can only be discarded. */
  readonly isErased: boolean;
}

/** What is chosen when an entry is made. */
export type Chosen = Pick<Entry, "customerId" | "content" | "template" | "lastSeenId">;

let turns = 0;

/** Whether what was stored is an entry. */
export function isEntry(value: unknown): value is Entry {
  const entry = value as Partial<Entry> | null;
  return (
    typeof entry?.key === "string" &&
    typeof entry.customerId === "number" &&
    typeof entry.content === "string" &&
    typeof entry.writtenAt === "string" &&
    Array.isArray(entry.newer)
  );
}

/** A new entry. */
export function newEntry(chosen: Chosen, now: Date = new Date()): Entry {
  turns += 1;
  return {
    ...chosen,
    key: newKey(),
    writtenAt: now.toISOString(),
    turn: turns,
    state: "waiting",
    detail: null,
    newer: [],
    isErased: false,
  };
}

/** 128 random bits; `crypto.randomUUID` is not there without TLS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The first entry of each customer, where that one may be sent: later ones keep their order. */
export function heads(entries: readonly Entry[]): Entry[] {
  const first = new Map<number, Entry>();
  for (const entry of entries) if (!first.has(entry.customerId)) first.set(entry.customerId, entry);
  return [...first.values()].filter((entry) => entry.state === "waiting");
}

/**
 * What to do after the server said that there is something newer: our own messages are no news,
 * so where nothing else came the entry goes again; else its writer is asked.
 */
export function afterNewer(
  entry: Entry,
  newer: readonly Message[],
  count: number,
  isOwn: (message: Message) => boolean,
): Partial<Entry> {
  const news = newer.filter((message) => !isOwn(message));
  const last = newer.at(-1)?.id ?? entry.lastSeenId;
  if (news.length === 0 && count <= newer.length) return { lastSeenId: last };
  return { state: "asking", newer: news, lastSeenId: last };
}
