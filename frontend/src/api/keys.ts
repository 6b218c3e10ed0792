import type { CustomerFilter } from "@/live/lists";

/** The names of all that is fetched: one place, so that an event finds what it changes. */
export const keys = {
  session: ["session"],
  customers: ["customers"],
  customerList: (filter: CustomerFilter) => ["customers", filter],
  customer: (id: number) => ["customer", id],
  totals: (id: number) => ["customer", id, "totals"],
  chat: (customerId: number) => ["chat", customerId],
  presence: (customerId: number) => ["presence", customerId],
  gateway: ["gateway"],
  qr: ["gateway-qr"],
  templates: ["templates"],
  outgoing: ["outgoing"],
  outgoingIn: (status: string) => ["outgoing", status],
  liveStart: ["live-start"],
  metrics: ["metrics"],
  agents: ["agents"],
  tokens: ["tokens"],
} as const;
