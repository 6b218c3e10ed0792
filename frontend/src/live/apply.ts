import type { QueryClient } from "@tanstack/react-query";
import { keys } from "@/api/keys";
import type { Customer, CustomerSummary, LiveEvent, Message } from "@/api/types";
import { type CustomerFilter, chatAfter, customersAfter, type Pages, type Placed } from "./lists";
import type { Refresher } from "./refresher";

type CustomerEvent = Extract<LiveEvent, { customer_id: number }>;

/** Brings all that is on the screen up to date with one event. */
export function applyEvent(client: QueryClient, placed: Placed, refresher: Refresher): void {
  const { event } = placed;
  if (event.type === "reset") return;
  changeCustomers(client, placed);
  if (event.type === "gateway_status") client.setQueryData(keys.gateway, event.gateway);
  if (event.type === "presence") client.setQueryData(keys.presence(event.customer_id), event);
  if (event.customer_id === null) return;
  changeChat(client, event.customer_id, placed);
  refreshFigures(client, event, refresher);
}

function changeCustomers(client: QueryClient, placed: Placed): void {
  const lists = client.getQueriesData<Pages<CustomerSummary>>({ queryKey: keys.customers });
  for (const [key, pages] of lists) {
    if (!pages) continue;
    const changed = customersAfter(pages, placed, key[1] as CustomerFilter);
    if (changed !== pages) client.setQueryData(key, changed);
  }
}

function changeChat(client: QueryClient, customerId: number, placed: Placed): void {
  const { event } = placed;
  if (event.type === "customer_deleted") {
    client.removeQueries({ queryKey: keys.chat(customerId) });
    client.removeQueries({ queryKey: keys.customer(customerId) });
    return;
  }
  client.setQueryData<Pages<Message>>(
    keys.chat(customerId),
    (pages) => pages && chatAfter(pages, placed),
  );
  if ("customer" in event) {
    const { last_message, last_timestamp, ...shown } = event.customer;
    client.setQueryData<Customer>(
      keys.customer(customerId),
      (known) => known && { ...known, ...shown },
    );
  }
  if (event.type === "customer_updated") {
    void client.invalidateQueries({ queryKey: keys.customer(customerId), exact: true });
  }
}

/** Neither the lists of unsent messages nor the totals of a chat have events of their own. */
function refreshFigures(client: QueryClient, event: CustomerEvent, refresher: Refresher): void {
  const isStatus = event.type === "message_status";
  const isWritten = event.type === "inbound_message" || event.type === "outbound_message";
  if (isStatus) refresher.refresh(keys.outgoing);
  const totals = keys.totals(event.customer_id);
  if ((isStatus || isWritten) && client.getQueryState(totals)) refresher.refresh(totals);
}
