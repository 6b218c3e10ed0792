import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fetchBody } from "@/api/client";
import { useChat, useGateway } from "@/api/queries";
import { type Session, signIn } from "@/api/session";
import { LiveProvider } from "./LiveProvider";
import { rowsOf } from "./lists";
import { customer, FakeEventSource, fakeBrowser, message } from "./testKit";

type Answer = () => Response | Promise<Response>;

const ME = { id: 1, name: "Mia", role: "agent", csrf_token: "token" };
const away: Answer = () => Promise.reject(new TypeError("no network"));
const page = (at: number, ...ids: number[]) =>
  Response.json(
    ids.map((id) => message(id)),
    { headers: { "X-Stream-Cursor": String(at) } },
  );

let answers: Record<string, Answer>;
beforeEach(() => {
  fakeBrowser();
  answers = { "/auth/state": () => Response.json({ me: ME, required: true }) };
  vi.stubGlobal("CRM_API", "");
  vi.stubGlobal("fetch", async (address: string) =>
    (answers[address.split("?")[0] ?? ""] ?? away)(),
  );
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function Chat() {
  const chat = useChat(1);
  if (chat.isError) return <p>refused</p>;
  return <p>{rowsOf(chat.data).map((row) => row.content)}</p>;
}

function Gateway() {
  return <p>{useGateway().data?.state}</p>;
}

function show(children: React.ReactNode) {
  const client = new QueryClient({
    defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } },
  });
  render(
    <QueryClientProvider client={client}>
      <LiveProvider>{children}</LiveProvider>
    </QueryClientProvider>,
  );
  return client;
}

describe("what is live", () => {
  it("opens anew as soon as somebody signs in, and asks again for what was refused", async () => {
    answers["/messages/1"] = () => page(10, 5);
    const client = show(<Chat />);
    await screen.findByText("Text 5");
    answers["/auth/state"] = () => Response.json({ me: null, required: true });
    answers["/messages/1"] = () => Response.json({}, { status: 401 });
    await act(() => client.invalidateQueries());
    await screen.findByText("refused");
    expect(client.getQueryData<Session>(["session"])?.kind).toBe("stranger");
    expect(FakeEventSource.all).toHaveLength(1);
    answers["/auth/login"] = () => Response.json(ME);
    answers["/messages/1"] = () => page(12, 6);
    await act(() => signIn(client, "mia", "secret"));
    await screen.findByText("Text 6");
    expect(FakeEventSource.all).toHaveLength(2);
  });

  it("opens anew where a call finds no server, though the stream seems open", async () => {
    answers["/messages/1"] = () => page(10, 5);
    show(<Chat />);
    await screen.findByText("Text 5");
    act(() => FakeEventSource.newest.open());
    await expect(fetchBody("/nowhere")).rejects.toThrow("reached");
    expect(FakeEventSource.all).toHaveLength(2);
  });

  it("takes in what the stream told while the answer was under way", async () => {
    let answer = (_: Response) => {};
    answers["/messages/1"] = () => page(10, 5);
    const client = show(<Chat />);
    await screen.findByText("Text 5");
    answers["/messages/1"] = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    void client.invalidateQueries({ queryKey: ["chat"] });
    const event = { type: "inbound_message", customer_id: 1, message: message(6) };
    act(() => FakeEventSource.newest.send(11, { ...event, customer: customer(1, 1) }));
    await act(async () => answer(page(10, 5)));
    await screen.findByText("Text 5Text 6");
  });

  it("asks for the gateway's state again, also where no event tells of it", async () => {
    vi.useFakeTimers();
    const state = (name: string) => () => Response.json({ ready: false, state: name });
    answers["/gateway/status"] = state("unreachable");
    show(<Gateway />);
    await act(() => vi.advanceTimersByTimeAsync(100));
    expect(screen.queryByText("unreachable")).not.toBeNull();
    answers["/gateway/status"] = state("ready");
    await act(() => vi.advanceTimersByTimeAsync(31_000));
    expect(screen.queryByText("ready")).not.toBeNull();
  });
});
