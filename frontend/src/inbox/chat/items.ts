import type { Message } from "@/api/types";
import type { Entry } from "@/outbox/entries";
import { dayKey, parseTime } from "@/time";

/** A line of the chat: a message, or one that is still on its way to the server. */
export interface Item {
  readonly key: string;
  readonly message: Message | null;
  readonly entry: Entry | null;
  readonly moment: Date;
  /** Whether it is the first of its day, and so carries the day's name. */
  readonly beginsDay: boolean;
  /** Whether the one before is of the same side, and of the same minutes. */
  readonly continues: boolean;
}

const TOGETHER_MS = 5 * 60_000;

/** The line each message had last: one event changes one line, in a chat of any length. */
const drawn = new WeakMap<Message, { before: Item | undefined; item: Item }>();

/** The lines of a chat: messages by id, then what is on its way. */
export function itemsOf(messages: readonly Message[], entries: readonly Entry[]): Item[] {
  const stored = new Set(messages.map((message) => message.client_message_id));
  const waiting = entries.filter((entry) => !stored.has(entry.key));
  const items: Item[] = [];
  for (const message of messages) items.push(lineOf(message, items.at(-1)));
  for (const entry of waiting) items.push(line(items.at(-1), null, entry));
  return items;
}

function lineOf(message: Message, before: Item | undefined): Item {
  const known = drawn.get(message);
  if (known && known.before === before) return known.item;
  const fresh = line(before, message, null);
  const isSame = known !== undefined && isDrawnAlike(known.item, fresh);
  const item = isSame ? known.item : fresh;
  drawn.set(message, { before, item });
  return item;
}

/** Whether another line before it changed nothing. */
function isDrawnAlike(one: Item, other: Item): boolean {
  return one.beginsDay === other.beginsDay && one.continues === other.continues;
}

function line(before: Item | undefined, message: Message | null, entry: Entry | null): Item {
  const moment = message ? parseTime(message.timestamp) : new Date(entry?.writtenAt ?? 0);
  const beginsDay = !before || dayKey(before.moment) !== dayKey(moment);
  return {
    key: lineKey(message, entry),
    message,
    entry,
    moment,
    beginsDay,
    continues: !beginsDay && isTogether(before, message, moment),
  };
}

/** A message keeps the key of the entry that it was, so it does not jump when it is stored. */
function lineKey(message: Message | null, entry: Entry | null): string {
  return entry?.key ?? message?.client_message_id ?? `message ${message?.id}`;
}

function isTogether(before: Item | undefined, message: Message | null, moment: Date): boolean {
  if (!before || moment.getTime() - before.moment.getTime() > TOGETHER_MS) return false;
  const side = (each: Message | null) => each?.direction ?? "outbound";
  const author = (each: Message | null) => each?.author?.id ?? null;
  return side(before.message) === side(message) && author(before.message) === author(message);
}
