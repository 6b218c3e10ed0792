import { addressOf } from "./address";

/** An answer of the API that is not a success, or `status` 0 where none came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly body: Record<string, unknown> = {},
    readonly retryAfter: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** Why, in the server's own words; null where it gave none, as what stands before it does. */
  get detail(): string | null {
    return detailOf(this.body);
  }

  /** Whether the same request may succeed later. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

function detailOf({ detail }: Record<string, unknown>): string | null {
  return typeof detail === "string" ? detail : null;
}

/** What was written in one agent's name must not go out in another's. */
export class OtherAgentError extends ApiError {
  constructor() {
    super(401, "Somebody else has signed in in this browser.");
    this.name = "OtherAgentError";
  }
}

export interface Answer<T> {
  readonly body: T;
  readonly headers: Headers;
}

interface Options {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON; a file goes as it is, with a `Content-Type` among the headers. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
  readonly patienceMs?: number;
  /** Only in the name of this agent; null: only where nobody is signed in. */
  readonly agent?: number | null;
  /** Goes out even where the page is closed the moment after. */
  readonly keepalive?: boolean;
}

const PATIENCE_MS = 20_000;

/** Who is signed in, and the token that unsafe requests of their session carry. */
export interface Holder {
  readonly id: number;
  readonly csrf_token: string;
}

/** undefined: nobody knows yet; null: nobody is signed in. */
let holder: Holder | null | undefined;
let onOther = () => {};

/** In whose name the page calls from here on. */
export function setHolder(next: Holder | null): void {
  holder = next;
}

/** Calls back when a call finds that another agent has signed in; returns how to stop. */
export function whenOtherAgent(listener: () => void): () => void {
  onOther = listener;
  return () => {
    if (onOther === listener) onOther = () => {};
  };
}

const unreachable = new Set<() => void>();

/** Calls back for each call that no server answered; returns how to stop. */
export function onUnreachable(listener: () => void): () => void {
  unreachable.add(listener);
  return () => void unreachable.delete(listener);
}

/** Calls the API. Throws `ApiError`, whatever went wrong. */
export async function call<T>(path: string, options: Options = {}): Promise<Answer<T>> {
  const { text, headers } = await ask(path, options);
  return { body: parse(text) as T, headers };
}

/** The text of an answer that is no JSON. */
export async function fetchText(path: string, options: Options = {}): Promise<string> {
  return (await ask(path, options)).text;
}

interface Raw {
  readonly text: string;
  readonly headers: Headers;
}

async function ask(path: string, options: Options): Promise<Raw> {
  try {
    return await askOnce(path, options);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 403 && /X-CSRF/.test(error.message)))
      throw error;
    await renewToken();
    return askOnce(path, options);
  }
}

/** Another tab has signed in since: its session is ours, with another token, if it is ours. */
async function renewToken(): Promise<void> {
  const me = parse((await askOnce("/auth/me", {})).text) as Holder;
  if (holder !== undefined && holder?.id !== me.id) throw otherAgent();
  setHolder(me);
}

function otherAgent(): ApiError {
  onOther();
  return new OtherAgentError();
}

async function askOnce(path: string, options: Options): Promise<Raw> {
  const { method = "GET", body, headers = {}, signal } = options;
  const { patienceMs = PATIENCE_MS, keepalive = false } = options;
  if (options.agent !== undefined && options.agent !== (holder?.id ?? null)) throw otherAgent();
  const patience = AbortSignal.timeout(patienceMs);
  const isJson = body !== undefined && !(body instanceof Blob);
  let response: Response;
  let text: string;
  try {
    response = await fetch(addressOf(path), {
      method,
      keepalive,
      credentials: "include",
      headers: {
        ...(isJson ? { "Content-Type": "application/json" } : {}),
        ...(holder && method !== "GET" ? { "X-CSRF-Token": holder.csrf_token } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as Blob) }),
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    for (const listener of unreachable) listener();
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (!response.ok) throw refusal(response, parse(text));
  return { text, headers: response.headers };
}

/** Only the body of an answer. */
export async function fetchBody<T>(path: string, options: Options = {}): Promise<T> {
  return (await call<T>(path, options)).body;
}

function parse(text: string): unknown {
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(response: Response, parsed: unknown): ApiError {
  const body = (parsed ?? {}) as Record<string, unknown>;
  const after = Number(response.headers.get("Retry-After"));
  const said = detailOf(body) ?? `The server said ${response.status}.`;
  return new ApiError(response.status, said, body, after > 0 ? after : null);
}
