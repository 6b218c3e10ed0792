import { ApiError, fetchBody } from "./client";
import type { Customer } from "./types";

/** Makes a customer, or finds the one who has this phone; returns their id. */
export async function beginChat(chosen: { phone: string; name: string }): Promise<number> {
  try {
    const made = await fetchBody<Customer>("/customers/", { method: "POST", body: chosen });
    return made.id;
  } catch (error) {
    const known = error instanceof ApiError ? error.body.customer_id : undefined;
    if (typeof known === "number") return known;
    throw error;
  }
}

export type CustomerChange = Partial<Pick<Customer, "name" | "status" | "remark" | "extra_fields">>;

/** Changes what an agent may edit. */
export function changeCustomer(id: number, change: CustomerChange): Promise<Customer> {
  return fetchBody<Customer>(`/customers/${id}`, { method: "PATCH", body: change });
}

/** Erases a customer and every message. */
export function eraseCustomer(id: number): Promise<null> {
  return fetchBody<null>(`/customers/${id}`, { method: "DELETE" });
}

/** Marks a chat read up to a message that was shown. */
export function markRead(id: number, upTo: number): Promise<Customer> {
  return fetchBody<Customer>(`/messages/${id}/mark_read`, {
    method: "POST",
    body: { up_to: upTo },
  });
}
