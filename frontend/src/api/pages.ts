import { type Answer, call } from "./client";

/** Part of a list, and the event id at which it is true. */
export interface Page<T> {
  readonly rows: readonly T[];
  /** The cursor of the next part; null at the end. */
  readonly next: string | null;
  readonly at: number;
}

/** Fetches a part of a list; the server names the next part in its `Link` header. */
export async function fetchPage<T>(
  path: string,
  query: Record<string, string | number | undefined>,
  signal?: AbortSignal,
): Promise<Page<T>> {
  const chosen = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(chosen.map(([name, value]) => [name, String(value)]));
  return readPage(await call<T[]>(`${path}?${text}`, { signal }));
}

export function readPage<T>({ body, headers }: Answer<T[]>): Page<T> {
  return {
    rows: body,
    next: nextCursor(headers.get("Link")),
    at: Number(headers.get("X-Stream-Cursor") ?? 0),
  };
}

/** The cursor in `<…?cursor=abc>; rel="next"`. */
export function nextCursor(link: string | null): string | null {
  const target = link?.match(/<([^>]*)>;\s*rel="next"/)?.[1];
  if (!target) return null;
  return new URL(target, "http://any").searchParams.get("cursor");
}
