import { Stream, type StreamState } from "./stream";

/**
 * What tabs tell each other. `after` is the id of the event before, and `last` that of the newest,
 * so that a gap shows.
 */
type Told =
  | { kind: "event"; id: number; after: number; data: string }
  | { kind: "state"; state: StreamState; last: number | null }
  | { kind: "refused" }
  | { kind: "hello" }
  | { kind: "reopen" };

export interface LiveHandlers {
  readonly onEvent: (id: number, data: string) => void;
  readonly onState: (state: StreamState) => void;
  readonly onRefused: () => void;
  /** Events were missed: what is shown must be fetched anew. */
  readonly onGap: () => void;
}

const LOCK = "crm-stream";
const ANSWER_WITHIN_MS = 3_000;

/**
 * The browser's one event stream: browsers open six connections to a server at most, so the tab
 * that holds the lock has the stream and tells the others; when it closes, the next one goes on.
 */
export class SharedStream {
  private stream: Stream | null = null;
  private readonly channel: BroadcastChannel;
  private last: number | null;
  private state: StreamState = "connecting";
  private answered = 0;
  private readonly leaving = new AbortController();
  private release: (() => void) | null = null;

  constructor(
    private readonly address: string,
    since: number | null,
    private readonly handlers: LiveHandlers,
  ) {
    this.last = since;
    this.channel = new BroadcastChannel(`crm-live ${address}`);
    this.channel.onmessage = (event: MessageEvent<Told>) => this.hear(event.data);
    document.addEventListener("visibilitychange", this.look);
    void this.lead({ signal: this.leaving.signal });
    this.channel.postMessage({ kind: "hello" } satisfies Told);
  }

  close(): void {
    this.leaving.abort();
    this.stopLeading();
    this.channel.close();
    document.removeEventListener("visibilitychange", this.look);
  }

  /** Opens the stream anew at once, whichever tab has it. */
  reopen(): void {
    if (this.stream) this.stream.reopen();
    else this.tell({ kind: "reopen" });
  }

  /** The server was not to be reached: the stream may be dead without having noticed. */
  doubt(): void {
    if (this.state === "open") this.reopen();
  }

  private async lead(options: LockOptions): Promise<void> {
    // Without TLS there are no locks, but on this machine: then each tab has a stream of its own.
    if (!navigator.locks) return this.begin();
    try {
      await navigator.locks.request(LOCK, options, () => {
        if (this.leaving.signal.aborted) return;
        this.begin();
        return new Promise<void>((resolve) => {
          this.release = resolve;
        });
      });
    } catch {
      // Closed while waiting, or another tab took the lock because this one slept.
      this.stopLeading();
      if (!this.leaving.signal.aborted) void this.lead({ signal: this.leaving.signal });
    }
  }

  private begin(): void {
    const onEvent = (id: number, data: string) => {
      this.tell({ kind: "event", id, after: this.last ?? id, data });
      this.take(id, data);
    };
    const onState = (state: StreamState) => {
      this.show(state);
      this.tellState();
    };
    const onRefused = () => {
      this.tell({ kind: "refused" });
      this.handlers.onRefused();
    };
    this.stream = new Stream(this.address, { onEvent, onState, onRefused }, this.last);
  }

  private tell(told: Told): void {
    if (!this.leaving.signal.aborted) this.channel.postMessage(told);
  }

  private tellState(): void {
    this.tell({ kind: "state", state: this.state, last: this.last });
  }

  private show(state: StreamState): void {
    this.state = state;
    this.handlers.onState(state);
  }

  private stopLeading(): void {
    this.stream?.close();
    this.stream = null;
    this.release?.();
    this.release = null;
  }

  private hear(told: Told): void {
    if (told.kind === "hello" || told.kind === "reopen") {
      if (this.stream) this.answer(told.kind);
      return;
    }
    if (this.stream) return; // an old leader's last words, or each tab has a stream of its own
    this.answered = Date.now();
    if (told.kind === "refused") {
      this.handlers.onRefused();
      return;
    }
    this.reach(told.kind === "state" ? told.last : told.after);
    if (told.kind === "state") this.show(told.state);
    else this.take(told.id, told.data);
  }

  private answer(asked: "hello" | "reopen"): void {
    if (asked === "hello") this.tellState();
    else this.stream?.reopen();
  }

  /** The leader has seen the events up to this one; so must we have. */
  private reach(id: number | null): void {
    if (id === null) return;
    const isGap = this.last !== null && id > this.last;
    this.last = Math.max(this.last ?? 0, id);
    if (isGap) this.handlers.onGap();
  }

  /** Presence has no id of its own: it comes under that of the last event, and moves nothing. */
  private take(id: number, data: string): void {
    const isPassing = data.startsWith('{"type":"presence"');
    if (!isPassing && this.last !== null && id <= this.last && !data.startsWith('{"type":"reset"'))
      return;
    this.handlers.onEvent(isPassing ? 0 : id, data);
    // Not before: an event that turned out to be broken is taken when it comes again.
    if (!isPassing) this.last = id;
  }

  /** A leader that the browser put to sleep answers nothing: whoever is looked at takes over. */
  private readonly look = (): void => {
    if (document.visibilityState !== "visible" || !navigator.locks) return;
    if (this.stream) return;
    const asked = Date.now();
    this.channel.postMessage({ kind: "hello" } satisfies Told);
    setTimeout(() => {
      const isSilent = this.answered < asked && !this.stream && !this.leaving.signal.aborted;
      if (isSilent) void this.lead({ steal: true });
    }, ANSWER_WITHIN_MS);
  };
}
