import { makeStored, type Stored } from "./stored";

/** What somebody has begun to write, and the newest message there was when they began. */
export interface Draft {
  readonly text: string;
  readonly seen: number;
}

export const NO_DRAFT: Draft = { text: "", seen: 0 };

const drafts = new Map<string, Stored<Draft>>();

function isDraft(value: unknown): boolean {
  const draft = value as Partial<Draft> | null;
  return typeof draft?.text === "string" && typeof draft.seen === "number";
}

/** The draft of an agent for a customer: no one else's, in this browser. */
export function draftOf(agent: string, customerId: number): Stored<Draft> {
  const key = `crm.draft.${agent}.${customerId}`;
  let draft = drafts.get(key);
  if (!draft) {
    draft = makeStored(key, NO_DRAFT, isDraft);
    drafts.set(key, draft);
  }
  return draft;
}
