import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useLive } from "@/live/LiveProvider";
import { type CustomerFilter, firstPageOf, type Pages } from "@/live/lists";
import { fetchBody } from "./client";
import { keys } from "./keys";
import { fetchPage, type Page } from "./pages";
import type {
  ApprovedTemplate,
  Customer,
  CustomerSummary,
  GatewayStatus,
  Message,
  Presences,
  Totals,
} from "./types";

const CUSTOMERS_PER_PAGE = 60;
const MESSAGES_PER_PAGE = 30;
/** An answer that was wrong for a moment is not followed by an event. */
const GATEWAY_EVERY_MS = 30_000;
/** For so long what was said of templates is taken as true, a refusal too. */
const TEMPLATES_HOLD_MS = 5 * 60_000;

/** For `fetchNextPage`: a refetch that is under way mends what was missed, and goes first. */
export const NOT_CUTTING_OFF = { cancelRefetch: false } as const;

/** The list of customers, in pages; live. */
export function useCustomers(filter: CustomerFilter, isEnabled = true) {
  const { begin } = useLive();
  return useInfiniteQuery({
    queryKey: keys.customerList(filter),
    enabled: isEnabled,
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const query = {
        search: filter.search.trim(),
        status: filter.status,
        order: filter.order === "unread" ? "unread" : undefined,
        limit: CUSTOMERS_PER_PAGE,
        cursor: pageParam ?? undefined,
      };
      const page = await fetchPage<CustomerSummary>("/customers/summary", query, signal);
      begin(page.at);
      return page;
    },
    getNextPageParam: (page: Page<CustomerSummary>) => page.next,
    placeholderData: (before) => before,
  });
}

/** Opens the event stream on a page that has no list whose place in the log it could take. */
export function useLiveStart(isEnabled: boolean): void {
  const { begin } = useLive();
  useQuery({
    queryKey: keys.liveStart,
    enabled: isEnabled,
    queryFn: async ({ signal }) => {
      const page = await fetchPage<CustomerSummary>("/customers/summary", { limit: 1 }, signal);
      begin(page.at);
      return page.at;
    },
  });
}

/** A customer's chat, the newest page first; live. Older pages are kept while it is open. */
export function useChat(customerId: number) {
  const { begin } = useLive();
  const client = useQueryClient();
  useEffect(
    () => () => {
      // It opens at its end again, and a long one would take long to draw.
      client.setQueryData<Pages<Message>>(
        keys.chat(customerId),
        (pages) => pages && firstPageOf(pages),
      );
    },
    [client, customerId],
  );
  return useInfiniteQuery({
    queryKey: keys.chat(customerId),
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const query = { limit: MESSAGES_PER_PAGE, cursor: pageParam ?? undefined };
      const page = await fetchPage<Message>(`/messages/${customerId}`, query, signal);
      begin(page.at || null);
      return page;
    },
    getNextPageParam: (page: Page<Message>) => page.next,
  });
}

/** A customer with all that may be edited. */
export function useCustomer(id: number) {
  return useQuery({
    queryKey: keys.customer(id),
    queryFn: ({ signal }) => fetchBody<Customer>(`/customers/${id}`, { signal }),
  });
}

/** How much was written in a chat. */
export function useTotals(id: number) {
  return useQuery({
    queryKey: keys.totals(id),
    queryFn: ({ signal }) => fetchBody<Totals>(`/customers/${id}/totals`, { signal }),
    staleTime: 0,
  });
}

/** What the gateway says of itself; pushed by the stream, but only when it changes. */
export function useGateway() {
  return useQuery({
    queryKey: keys.gateway,
    queryFn: ({ signal }) => fetchBody<GatewayStatus>("/gateway/status", { signal }),
    refetchInterval: GATEWAY_EVERY_MS,
  });
}

/** The templates of this line; none where it has none. Asked once for all chats. */
export function useTemplates() {
  return useQuery<ApprovedTemplate[]>({
    queryKey: keys.templates,
    // Else each chat that is opened would ask again where the answer was a refusal.
    enabled: ({ state }) =>
      state.status !== "error" || Date.now() - state.errorUpdatedAt > TEMPLATES_HOLD_MS,
    queryFn: ({ signal }) => fetchBody("/templates", { signal }),
    staleTime: TEMPLATES_HOLD_MS,
  });
}

/** Who has this chat open, as was told last; whoever opens it asks by saying so. */
export function usePresences(customerId: number) {
  return useQuery<Presences | null>({
    queryKey: keys.presence(customerId),
    queryFn: () => null,
    enabled: false,
  });
}
