import type { CustomerChange } from "@/api/customers";
import type { Customer } from "@/api/types";
import { type ExtraField, fieldsOf, objectOf } from "./extraFields";

/** What the form shows of a customer. */
export interface Values {
  readonly name: string;
  readonly status: string;
  readonly remark: string;
  readonly extra: readonly ExtraField[];
}

/** What was typed and is not saved; all else is as the server has it. */
export type Edits = Partial<Values>;

/** What the server has. */
export function valuesOf(customer: Customer): Values {
  const { name, status, remark, extra_fields } = customer;
  return { name, status, remark: remark ?? "", extra: fieldsOf(extra_fields) };
}

/** The edits without those that are as they are known to be. */
export function unlike(edits: Edits, known: Edits): Edits {
  const entries = Object.entries(edits) as [keyof Values, unknown][];
  return Object.fromEntries(entries.filter(([name, value]) => value !== known[name]));
}

/** What the server is asked to change. */
export function changeOf({ remark, extra, ...edits }: Edits, customer: Customer): CustomerChange {
  const extraFields = extra && objectOf(extra);
  return {
    ...edits,
    ...(remark === undefined ? {} : { remark: remark || null }),
    ...(extraFields && !isSame(extraFields, customer.extra_fields)
      ? { extra_fields: extraFields }
      : {}),
  };
}

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
