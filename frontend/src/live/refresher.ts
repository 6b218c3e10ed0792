import { hashKey, type QueryClient, type QueryKey } from "@tanstack/react-query";

const PAUSE_MS = 500;

/**
 * Fetches anew what events only tell to be old. A burst counts once; under lasting load each
 * answer is waited for, and what came meanwhile counts for one more.
 */
export class Refresher {
  /** What is under way, and whether it is wanted once more. */
  private readonly wanted = new Map<string, boolean>();

  constructor(private readonly client: QueryClient) {}

  refresh(queryKey: QueryKey): void {
    const name = hashKey(queryKey);
    if (this.wanted.has(name)) this.wanted.set(name, true);
    else void this.run(name, queryKey);
  }

  private async run(name: string, queryKey: QueryKey): Promise<void> {
    this.wanted.set(name, true);
    while (this.wanted.get(name)) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (this.client.isFetching({ queryKey })) continue; // to ask again would cut it off
      this.wanted.set(name, false);
      await this.client.invalidateQueries({ queryKey });
    }
    this.wanted.delete(name);
  }
}
