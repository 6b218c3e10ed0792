import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { keys } from "@/api/keys";
import { LiveProvider } from "@/live/LiveProvider";
import { customer, fakeBrowser } from "@/live/testKit";
import { OutboxProvider } from "@/outbox/OutboxProvider";
import { Toaster } from "@/ui/Toaster";
import { Chat } from "./Chat";
import { FakeIntersection, oldMessage } from "./testKit";

interface Asked {
  readonly query: string;
  readonly isCutOff: () => boolean;
  readonly answer: (response: Response) => void;
}

let asked: Asked[];
beforeEach(() => {
  asked = [];
  fakeBrowser();
  FakeIntersection.all.clear();
  vi.stubGlobal("IntersectionObserver", FakeIntersection);
  vi.stubGlobal("CRM_API", "");
  vi.stubGlobal("fetch", async (address: string, { signal }: { signal: AbortSignal }) => {
    const [path, query = ""] = address.split("?");
    if (path === "/auth/state") return Response.json({ me: null, required: false });
    if (path === "/customers/1") return Response.json(customer(1, 1));
    if (path !== "/messages/1") return Response.json({});
    return new Promise<Response>((answer) =>
      asked.push({ query, isCutOff: () => signal.aborted, answer }),
    );
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function page(id: number, next: string | null): Response {
  const link = next ? { Link: `</messages/1?cursor=${next}>; rel="next"` } : {};
  return Response.json([oldMessage(id)], { headers: { "X-Stream-Cursor": "10", ...link } });
}

const reachTop = () => act(async () => FakeIntersection.reachTop());
const answer = (number: number, response: Response) =>
  act(async () => asked[number]?.answer(response));

it("waits with older messages for an answer that mends a gap, and asks for them then", async () => {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={client}>
      <LiveProvider>
        <OutboxProvider>
          <Toaster>
            <Chat customerId={1} onClose={() => {}} onDetails={() => {}} />
          </Toaster>
        </OutboxProvider>
      </LiveProvider>
    </QueryClientProvider>,
  );
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  await answer(0, page(5, "older"));
  await screen.findByText("Text 5");
  act(() => void client.invalidateQueries({ queryKey: keys.chat(1) }));
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  await reachTop();
  expect(asked).toHaveLength(2);
  expect(asked[1]?.isCutOff()).toBe(false);
  await answer(1, page(6, "older"));
  await screen.findByText("Text 6");
  await reachTop();
  await vi.waitFor(() => expect(asked).toHaveLength(3));
  expect(asked[2]?.query).toContain("cursor=older");
  await answer(2, page(2, null));
  await screen.findByText("Text 2");
});
