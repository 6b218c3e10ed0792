/** What a stream tells of itself. */
export type StreamState = "connecting" | "open" | "waiting";

export interface StreamHandlers {
  /** An event: its id (that of the last event, where it has none of its own) and its data. */
  readonly onEvent: (id: number, data: string) => void;
  readonly onState: (state: StreamState) => void;
  /** The server refused the stream: perhaps the session is over. */
  readonly onRefused: () => void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const TICK_MS = 10_000;
const SLEPT_MS = 30_000;
/** Browsers let the timers of a hidden page run once a minute. */
const SLEPT_HIDDEN_MS = 90_000;

/**
 * One event stream that does not give up: browsers do after a 503 or a 401, and lose their place
 * when a page makes a new one. Each opening names the last id that was seen.
 */
export class Stream {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private closed = false;
  private ticked = Date.now();
  private readonly ticking = setInterval(() => this.tick(), TICK_MS);

  constructor(
    private readonly address: string,
    private readonly handlers: StreamHandlers,
    private last: number | null,
  ) {
    this.open();
    window.addEventListener("online", this.reopen);
    window.addEventListener("offline", this.lose);
  }

  /** Opens anew at once: the network is back, or the machine woke up. */
  readonly reopen = (): void => {
    if (this.closed) return;
    this.failures = 0;
    this.open();
  };

  /** The network is gone: an open connection would say nothing of it for minutes. */
  readonly lose = (): void => {
    if (!this.closed) this.retry();
  };

  close(): void {
    this.closed = true;
    this.drop();
    clearInterval(this.ticking);
    window.removeEventListener("online", this.reopen);
    window.removeEventListener("offline", this.lose);
  }

  /** After a sleep the connection may be gone without a word. */
  private tick(): void {
    const passed = Date.now() - this.ticked;
    this.ticked += passed;
    if (passed > (document.hidden ? SLEPT_HIDDEN_MS : SLEPT_MS)) this.reopen();
  }

  private open(): void {
    this.drop();
    this.handlers.onState("connecting");
    const query = this.last === null ? "" : `?lastEventId=${this.last}`;
    const source = new EventSource(this.address + query, { withCredentials: true });
    source.onopen = () => {
      this.failures = 0;
      this.handlers.onState("open");
    };
    source.onmessage = (event: MessageEvent<string>) => {
      const id = Number(event.lastEventId);
      this.handlers.onEvent(id, event.data);
      // Not before: what turned out to be broken is asked for again.
      if (id) this.last = id;
    };
    source.onerror = () => {
      const refused = source.readyState === EventSource.CLOSED;
      this.retry();
      if (refused) this.handlers.onRefused();
    };
    this.source = source;
  }

  private retry(): void {
    this.drop();
    this.handlers.onState("waiting");
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures += 1;
    // All browsers lost the server at the same moment; they shall not come back at the same one.
    this.timer = setTimeout(() => this.open(), pause * (0.5 + Math.random()));
  }

  private drop(): void {
    clearTimeout(this.timer);
    if (!this.source) return;
    this.source.onopen = this.source.onmessage = this.source.onerror = null;
    this.source.close();
    this.source = null;
  }
}
