import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useLive } from "@/live/LiveProvider";
import { fetchBody } from "./client";
import { keys } from "./keys";
import { fetchPage, type Page } from "./pages";
import type { Message } from "./types";

const PER_PAGE = 50;

/** What did not go out (`failed`), or perhaps did not (`unknown`), newest first. */
export type Unsent = "failed" | "unknown";

/** The outbound messages in one state, in pages; fetched anew when a status changes. */
export function useOutgoing(status: Unsent) {
  const { begin } = useLive();
  return useInfiniteQuery({
    queryKey: keys.outgoingIn(status),
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const query = { status, limit: PER_PAGE, cursor: pageParam ?? undefined };
      const page = await fetchPage<Message>("/messages", query, signal);
      begin(page.at);
      return page;
    },
    getNextPageParam: (page: Page<Message>) => page.next,
  });
}

interface Retry {
  readonly id: number;
  /** It may arrive twice, and shall be sent all the same. */
  readonly confirm: boolean;
}

/** Sends one message again. */
export function useRetry() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, confirm }: Retry) =>
      fetchBody<Message>(`/messages/${id}/retry`, { method: "POST", body: { confirm } }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.outgoing }),
  });
}

/** Sends all that failed again; answers how many those were. */
export function useRetryAll() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      (await fetchBody<{ retried: number }>("/messages/retry_failed", { method: "POST" })).retried,
    onSettled: () => client.invalidateQueries({ queryKey: keys.outgoing }),
  });
}
