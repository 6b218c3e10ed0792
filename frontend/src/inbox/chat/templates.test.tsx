import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keys } from "@/api/keys";
import type { Session } from "@/api/session";
import type { ApprovedTemplate } from "@/api/types";
import { LiveProvider } from "@/live/LiveProvider";
import { OutboxProvider } from "@/outbox/OutboxProvider";
import { Composer } from "./Composer";

const HELLO: ApprovedTemplate = {
  name: "hello",
  language: "en_US",
  category: "UTILITY",
  body: "Hello {{1}}, order {{2}} has left.",
  params: 2,
};
const BYE = { ...HELLO, name: "bye", body: "Goodbye.", params: 0 };

let client: QueryClient;
let asked: number;
let sent: unknown[];
let answer: () => Response | Promise<Response>;

beforeEach(() => {
  [asked, sent] = [0, []];
  localStorage.clear();
  client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } });
  client.setQueryData<Session>(keys.session, { kind: "anyone" });
  vi.stubGlobal("fetch", async (path: string, { body }: { body?: string }) => {
    if (body) sent.push(JSON.parse(body));
    if (!path.endsWith("/templates")) return new Promise(() => {});
    asked += 1;
    return answer();
  });
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** As the API writes it: UTC without a zone. */
const inMinutes = (minutes: number) =>
  new Date(Date.now() + minutes * 60_000).toISOString().replace("Z", "000");

function show(windowClosesAt: string | null, customerId = 7) {
  return render(
    <QueryClientProvider client={client}>
      <LiveProvider>
        <OutboxProvider>
          <Composer
            customerId={customerId}
            newestId={0}
            windowClosesAt={windowClosesAt}
            onDraft={() => {}}
          />
        </OutboxProvider>
      </LiveProvider>
    </QueryClientProvider>,
  );
}

const field = () => screen.getByLabelText<HTMLTextAreaElement>("Message");
const button = (name: string) => screen.queryByRole("button", { name });
const settled = () => act(() => new Promise((resolve) => setTimeout(resolve, 20)));
const has = (...templates: ApprovedTemplate[]) => {
  answer = () => Response.json(templates);
};

describe("a line without a window", () => {
  it("offers the templates it has, beside the field", async () => {
    has(HELLO);
    show(null);
    expect(button("Templates")).toBeNull();
    expect(await screen.findByRole("button", { name: "Templates" })).toBeTruthy();
    expect(field().disabled).toBe(false);
    expect(screen.queryByText(/Free text until|24 hours/)).toBeNull();
  });

  it("shows nothing of templates where it has none", async () => {
    has();
    show(null);
    await settled();
    expect(asked).toBe(1);
    expect(button("Templates")).toBeNull();
    expect(screen.queryByText(/templates/)).toBeNull();
  });

  it("is asked once for all chats, also where it refuses", async () => {
    answer = () => Response.json({ detail: "Set WHATSAPP_BUSINESS_ID." }, { status: 422 });
    for (const customerId of [7, 8, 9]) {
      const shown = show(null, customerId);
      await settled();
      shown.unmount();
    }
    expect(asked).toBe(1);
  });

  it("is asked again some minutes after it refused", async () => {
    answer = () => new Response("", { status: 503 });
    const shown = show(null);
    await settled();
    shown.unmount();
    has(HELLO);
    vi.setSystemTime(Date.now() + 6 * 60_000);
    show(null, 8);
    expect(await screen.findByRole("button", { name: "Templates" })).toBeTruthy();
  });
});

describe("a window that is open", () => {
  it("says until when, by the clock of whoever reads it", () => {
    has();
    vi.setSystemTime(new Date(2026, 2, 4, 13, 30));
    show(inMinutes(35));
    expect(screen.getByText(/^Free text until/).textContent).toMatch(/ (14|0?2):05/);
    expect(field().disabled).toBe(false);
  });

  it("closes before the eyes of whoever has the chat open", async () => {
    has(HELLO);
    vi.useFakeTimers({ shouldAdvanceTime: true });
    show(inMinutes(1));
    await screen.findByRole("button", { name: "Templates" });
    expect(field().disabled).toBe(false);
    act(() => vi.advanceTimersByTime(91_000));
    expect(field().disabled).toBe(true);
    expect(screen.queryByText(/^Free text until/)).toBeNull();
  });
});

describe("a window that is closed", () => {
  it("takes no text, says why, and offers the templates", async () => {
    has(HELLO);
    show(inMinutes(-1));
    expect(field().disabled).toBe(true);
    const why = document.getElementById(field().getAttribute("aria-describedby") ?? "");
    expect(why?.textContent).toContain("24 hours have passed");
    expect(button("Templates")).toBeNull();
    await userEvent.click(await screen.findByRole("button", { name: "Templates" }));
    expect(screen.getByRole("dialog", { name: "Templates" })).toBeTruthy();
  });

  it("says so where there are none", async () => {
    has();
    show(inMinutes(-1));
    await screen.findByText(/24 hours have passed.*This line has no templates\./);
    expect(button("Templates")).toBeNull();
  });

  it("says why they could not be had, and asks again when told to", async () => {
    answer = () => Response.json({ detail: "Set WHATSAPP_BUSINESS_ID." }, { status: 422 });
    show(inMinutes(-1));
    await screen.findByText(/24 hours have passed.*Set WHATSAPP_BUSINESS_ID\./);
    has(HELLO);
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByRole("button", { name: "Templates" })).toBeTruthy();
    expect(screen.queryByText(/WHATSAPP_BUSINESS_ID/)).toBeNull();
  });
});

describe("the window of templates", () => {
  const open = async () => {
    show(inMinutes(-1));
    await userEvent.click(await screen.findByRole("button", { name: "Templates" }));
  };
  const send = () => userEvent.click(screen.getByRole("button", { name: "Send template" }));

  it("sends the chosen one with its places filled in, and closes", async () => {
    has(BYE, HELLO);
    await open();
    await userEvent.selectOptions(screen.getByLabelText("Template"), "hello en_US");
    await userEvent.type(screen.getByLabelText("Text for place 1"), "Mia");
    screen.getByText("Hello Mia, order {{2}} has left.");
    await userEvent.type(screen.getByLabelText("Text for place 2"), "12");
    await send();
    expect(screen.queryByRole("dialog")).toBeNull();
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    expect(sent).toMatchObject([
      {
        customer_id: 7,
        content: "Hello Mia, order 12 has left.",
        template: { name: "hello", language: "en_US", params: ["Mia", "12"] },
      },
    ]);
  });

  it("sends none whose places are empty", async () => {
    has(HELLO);
    await open();
    await send();
    await settled();
    expect(sent).toEqual([]);
    expect(screen.getByRole("dialog")).toBeTruthy();
  });

  it("says that there are none any more where the last one was withdrawn meanwhile", async () => {
    has(HELLO);
    await open();
    act(() => client.setQueryData(keys.templates, []));
    const inside = within(screen.getByRole("dialog"));
    expect(await inside.findByText("This line has no templates.")).toBeTruthy();
    expect(button("Send template")).toBeNull();
  });
});
