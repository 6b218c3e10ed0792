import type { components } from "./schema";

type Schemas = components["schemas"];

export type CustomerSummary = Schemas["CustomerSummary"];
export type Customer = Schemas["Customer"];
export type Message = Schemas["Message"];
export type Media = Schemas["Media"];
export type Template = Schemas["Template"];
export type ApprovedTemplate = Schemas["ApprovedTemplate"];
export type GatewayStatus = Schemas["GatewayStatus"];
export type Me = Schemas["Me"];
export type Metrics = Schemas["Metrics"];
export type Token = Schemas["Token"];
export type NewToken = Schemas["NewToken"];
export type ImportReport = Schemas["ImportReport"];

/** What may change of a message after it was written. */
export type MessageState = Pick<Message, "id" | "ack" | "status" | "whatsapp_id" | "error"> & {
  media?: Media | null;
};

/** Somebody who has a chat open. */
export type Present = Schemas["Present"];
/** All who have a chat open, at a moment of the server's clock. */
export type Presences = Schemas["Presences"];
export type Totals = Schemas["Totals"];

/** What the event stream carries; docs/events.md describes each. */
export type LiveEvent =
  | { type: "new_customer" | "customer_updated"; customer_id: number; customer: CustomerSummary }
  | {
      type: "inbound_message" | "outbound_message";
      customer_id: number;
      message: Message;
      customer: CustomerSummary;
    }
  | { type: "message_status"; customer_id: number; message: MessageState }
  | { type: "message_seen"; customer_id: number; message_id: number }
  | { type: "messages_read"; customer_id: number; up_to: number; customer: CustomerSummary }
  | { type: "customer_deleted"; customer_id: number }
  | { type: "gateway_status"; customer_id: null; gateway: GatewayStatus }
  | ({ type: "presence"; customer_id: number } & Presences)
  | { type: "reset" };
