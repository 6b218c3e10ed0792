/** What tabs tell each other of the chats on their screens. */
interface Told {
  readonly kind: "question" | "answer";
  readonly customerId: number;
}

const CHANNEL = "crm-looking";
const ANSWER_WITHIN_MS = 300;

/**
 * Knows which chats are looked at in this browser: each tab knows its own, and answers the others
 * when they ask. A tab that is gone does not answer, so nothing has to be tidied up after it.
 */
export class Looking {
  private readonly channel = new BroadcastChannel(CHANNEL);

  constructor(private readonly isHere: (customerId: number) => boolean) {
    this.channel.onmessage = ({ data: { kind, customerId } }: MessageEvent<Told>) => {
      if (kind === "question" && isHere(customerId)) this.tell({ kind: "answer", customerId });
    };
  }

  /** Whether anybody looks at a chat, in this tab or another. */
  async isLookedAt(customerId: number): Promise<boolean> {
    return this.isHere(customerId) || this.ask(customerId);
  }

  close(): void {
    this.channel.close();
  }

  private ask(customerId: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isSeen: boolean) => {
        clearTimeout(timer);
        this.channel.removeEventListener("message", hear);
        resolve(isSeen);
      };
      const hear = ({ data }: MessageEvent<Told>) => {
        if (data.kind === "answer" && data.customerId === customerId) end(true);
      };
      const timer = setTimeout(end, ANSWER_WITHIN_MS, false);
      this.channel.addEventListener("message", hear);
      this.tell({ kind: "question", customerId });
    });
  }

  private tell(told: Told): void {
    this.channel.postMessage(told);
  }
}
