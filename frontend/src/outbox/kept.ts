import { type Readable, readText, writeText } from "@/state/stored";
import { type Entry, isEntry } from "./entries";

/**
 * An agent's entries in the browser's storage, each at a key of its own: tabs write at once, and a
 * list that one of them wrote whole would lose what another had added. What does not fit is kept
 * in memory, for this tab alone.
 */
export class KeptEntries implements Readable<readonly Entry[]> {
  private readonly prefix: string;
  private readonly unstored = new Map<string, Entry>();
  /** By key, with the text it was read from: the same text is the same object. */
  private known = new Map<string, { readonly text: string; readonly entry: Entry | null }>();
  private list: readonly Entry[] = [];
  private readonly listeners = new Set<() => void>();

  constructor(agent: string) {
    this.prefix = `crm.outbox.${agent}.`;
  }

  /** In the order in which they were written; the same list for as long as nothing changes. */
  readonly get = (): readonly Entry[] => {
    const stored = this.stored().filter((entry) => !this.unstored.has(entry.key));
    const list = [...stored, ...this.unstored.values()].sort(byTurn);
    const isSame =
      list.length === this.list.length && list.every((entry, place) => entry === this.list[place]);
    if (!isSame) this.list = list;
    return this.list;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.listeners.size === 0) window.addEventListener("storage", this.onStorage);
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) window.removeEventListener("storage", this.onStorage);
    };
  };

  put(entry: Entry): void {
    const isStored = writeText(this.prefix + entry.key, JSON.stringify(entry));
    if (isStored) this.unstored.delete(entry.key);
    else this.unstored.set(entry.key, entry);
    this.tellAll();
  }

  find(key: string): Entry | undefined {
    return this.get().find((entry) => entry.key === key);
  }

  /** Changes an entry, unless it is gone: another tab may have sent it. */
  change(key: string, change: Partial<Entry>): void {
    const entry = this.find(key);
    if (entry) this.put({ ...entry, ...change });
  }

  remove(key: string): void {
    this.unstored.delete(key);
    writeText(this.prefix + key, null);
    this.tellAll();
  }

  private tellAll(): void {
    for (const listener of this.listeners) listener();
  }

  private readonly onStorage = (event: StorageEvent): void => {
    if (event.key !== null && !event.key.startsWith(this.prefix)) return;
    if (event.key !== null) this.unstored.delete(event.key.slice(this.prefix.length));
    this.tellAll();
  };

  private stored(): Entry[] {
    const known = new Map<string, { text: string; entry: Entry | null }>();
    for (const key of storedKeys(this.prefix)) {
      const text = readText(key);
      if (text === null) continue;
      const before = this.known.get(key);
      known.set(key, before?.text === text ? before : { text, entry: parse(text) });
    }
    this.known = known;
    return [...known.values()].flatMap(({ entry }) => (entry ? [entry] : []));
  }
}

function storedKeys(prefix: string): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return []; // forbidden
  }
}

function parse(text: string): Entry | null {
  try {
    const value: unknown = JSON.parse(text);
    return isEntry(value) ? value : null;
  } catch {
    return null;
  }
}

function byTurn(one: Entry, other: Entry): number {
  if (one.writtenAt !== other.writtenAt) return one.writtenAt < other.writtenAt ? -1 : 1;
  return one.turn - other.turn || (one.key < other.key ? -1 : 1);
}
