import { fetchBody } from "./client";
import type { Message, Presences } from "./types";

/** Sends a failed message again; an unknown one only with `confirm`, since it may arrive twice. */
export function retryMessage(id: number, confirm = false): Promise<Message> {
  return fetchBody<Message>(`/messages/${id}/retry`, { method: "POST", body: { confirm } });
}

/** Takes a message back that still waits. */
export function cancelMessage(id: number): Promise<Message> {
  return fetchBody<Message>(`/messages/${id}/cancel`, { method: "POST" });
}

/** Says that this browser looks at a chat, or writes in it; tells who else does. */
export function showPresence(
  customerId: number,
  clientId: string,
  state: "viewing" | "typing" | "away",
): Promise<Presences> {
  return fetchBody<Presences>(`/customers/${customerId}/presence`, {
    method: "PUT",
    body: { state, client_id: clientId },
  });
}
