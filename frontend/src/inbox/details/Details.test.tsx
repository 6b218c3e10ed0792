import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { RouterContext } from "next/dist/shared/lib/router-context.shared-runtime";
import type { NextRouter } from "next/router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { keys } from "@/api/keys";
import type { Customer, Totals } from "@/api/types";
import { applyEvent } from "@/live/apply";
import { Refresher } from "@/live/refresher";
import { Details } from "./Details";

const ROUTER = { query: { c: "7" }, push: async () => true } as unknown as NextRouter;

const CUSTOMER = {
  id: 7,
  name: "Mia",
  phone: "60123456789",
  status: "new",
  remark: null,
  extra_fields: { size: "L" },
  photo_url: null,
  created_at: "2026-01-01T00:00:00.000000",
  updated_at: "2026-01-01T00:00:00.000000",
} as unknown as Customer;

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** The details before a server that stores what it is told, after a moment. */
function show(totals?: Totals) {
  let stored = CUSTOMER;
  const sent: unknown[] = [];
  vi.stubGlobal("fetch", async (_: string, { method, body }: { method: string; body: string }) => {
    if (method !== "PATCH") return totals ? Response.json(totals) : new Promise(() => {});
    sent.push(JSON.parse(body));
    await new Promise((resolve) => setTimeout(resolve, 20));
    stored = { ...stored, ...JSON.parse(body), updated_at: "2026-01-03T00:00:00.000000" };
    return Response.json(stored);
  });
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  client.setQueryData(keys.customer(7), stored);
  render(
    <QueryClientProvider client={client}>
      <RouterContext.Provider value={ROUTER}>
        <Details customerId={7} onClose={() => {}} />
      </RouterContext.Provider>
    </QueryClientProvider>,
  );
  const hear = (change: Partial<Customer>) => {
    const summary = { ...CUSTOMER, ...change, updated_at: "2026-01-02T00:00:00.000000" };
    stored = { ...stored, ...change };
    const event = { type: "customer_photo", customer_id: 7, customer: summary };
    const placed = { id: 9, event } as unknown as Parameters<typeof applyEvent>[1];
    act(() => applyEvent(client, placed, new Refresher(client)));
  };
  return { sent, hear };
}

const field = (label: string) => screen.getByLabelText<HTMLInputElement>(label);
const save = () => screen.getByRole<HTMLButtonElement>("button", { name: "Save" });
const pause = () => act(() => new Promise((resolve) => setTimeout(resolve, 10)));

describe("the customer form", () => {
  it("keeps what is being typed, and the focus, when something else changes", async () => {
    const { hear } = show();
    await userEvent.type(field("Remark"), "Wants bl");
    hear({ status: "open" });
    await pause();
    await userEvent.keyboard("ue");
    expect(field("Remark").value).toBe("Wants blue");
    expect(field("Status").value).toBe("open");
  });

  it("keeps the focus in a field of the shop's own", async () => {
    const { hear } = show();
    await userEvent.click(field("Value"));
    hear({ status: "open" });
    await pause();
    await userEvent.keyboard("!");
    expect(field("Value").value).toBe("L!");
  });

  it("sends only what was changed, and follows the server from then on", async () => {
    const { sent, hear } = show();
    await userEvent.type(field("Name"), " Tan");
    await userEvent.click(save());
    await vi.waitFor(() => expect(save().disabled).toBe(true));
    await vi.waitFor(() => expect(sent).toEqual([{ name: "Mia Tan" }]));
    await screen.findByText("Mia Tan");
    await pause();
    hear({ name: "Mia Tan Mei" });
    await vi.waitFor(() => expect(field("Name").value).toBe("Mia Tan Mei"));
  });

  it("does not show once more what was there before it was saved", async () => {
    show();
    await userEvent.type(field("Name"), " Tan");
    const shown = new Set<string>();
    const name = field("Name");
    const observer = new MutationObserver(() => shown.add(name.value));
    observer.observe(name, { attributes: true });
    await userEvent.click(save());
    await screen.findByText("Mia Tan");
    await pause();
    await pause();
    observer.disconnect();
    expect([...shown, name.value].filter((value) => value !== "Mia Tan")).toEqual([]);
  });

  it("keeps what is typed while it is being saved", async () => {
    const { sent } = show();
    await userEvent.type(field("Name"), " Tan");
    await userEvent.click(save());
    await userEvent.type(field("Remark"), "VIP");
    await screen.findByText("Mia Tan");
    await vi.waitFor(() => expect(save().disabled).toBe(false));
    await userEvent.click(save());
    await vi.waitFor(() => expect(sent).toEqual([{ name: "Mia Tan" }, { remark: "VIP" }]));
  });

  it("takes what is typed back for no change", async () => {
    const { hear } = show();
    await userEvent.type(field("Status"), "x{Backspace}");
    expect(save().disabled).toBe(true);
    hear({ status: "won" });
    await vi.waitFor(() => expect(field("Status").value).toBe("won"));
  });
});

describe("the facts of a customer", () => {
  const fact = (name: string) => screen.getByText(name).nextElementSibling?.textContent;

  it("are since when, how much was written, and when that began", async () => {
    const first_message_at = "2026-01-05T12:00:00.000000";
    show({ received: 12, sent: 34, failed: 5, first_message_at });
    expect(fact("Customer since")).toMatch(/2026/);
    await screen.findByText("12 received, 34 sent, 5 not sent");
    expect(fact("Messages")).toBe("12 received, 34 sent, 5 not sent");
    expect(fact("First message")).toMatch(/\b5\b.*2026/);
  });

  it("tell no first message where there is none", async () => {
    show({ received: 0, sent: 0, failed: 0, first_message_at: null });
    await screen.findByText("0 received, 0 sent, 0 not sent");
    expect(screen.queryByText("First message")).toBeNull();
  });
});
