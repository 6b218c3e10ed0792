/** One of the shop's own fields, as it is edited. */
export interface ExtraField {
  /** The same for what is stored, however often it is fetched: no input is made anew. */
  readonly id: string;
  readonly name: string;
  readonly value: string;
  /** What was stored, where that is no plain text: kept as it is unless it is edited. */
  readonly original: unknown;
}

let counter = 0;

/** An empty field. */
export function emptyField(): ExtraField {
  counter += 1;
  return { id: `new ${counter}`, name: "", value: "", original: undefined };
}

/** The fields of a customer, in their order. */
export function fieldsOf(object: Record<string, unknown>): ExtraField[] {
  return Object.entries(object).map(([name, original]) => {
    const value = typeof original === "string" ? original : JSON.stringify(original);
    return { id: `stored ${name}`, name, value, original };
  });
}

/** The object that the fields stand for; those without a name are left out. */
export function objectOf(fields: readonly ExtraField[]): Record<string, unknown> {
  const named = fields.filter(({ name }) => name.trim() !== "");
  return Object.fromEntries(named.map((field) => [field.name.trim(), storedValue(field)]));
}

function storedValue({ value, original }: ExtraField): unknown {
  const isUntouched =
    original !== undefined && typeof original !== "string" && JSON.stringify(original) === value;
  return isUntouched ? original : value;
}
