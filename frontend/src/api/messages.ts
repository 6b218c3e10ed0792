import { fetchBody } from "./client";
import type { Message, Presences } from "./types";

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
    keepalive: true,
    body: { state, client_id: clientId },
  });
}
