import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keys } from "@/api/keys";
import type { Session } from "@/api/session";
import { LiveProvider } from "@/live/LiveProvider";
import { OutboxProvider } from "@/outbox/OutboxProvider";
import { draftOf, NO_DRAFT } from "@/state/drafts";
import { ROW } from "../useShortcuts";
import { Composer } from "./Composer";

const CUSTOMER = 7;
const DRAFT = draftOf("anyone", CUSTOMER);

let sent: unknown[];

beforeEach(() => {
  sent = [];
  // A server that never answers: only what leaves the page matters here.
  vi.stubGlobal("fetch", (_: string, { body }: { body?: string }) => {
    if (body) sent.push(JSON.parse(body));
    return new Promise(() => {});
  });
});

afterEach(() => {
  cleanup();
  DRAFT.set(NO_DRAFT);
  localStorage.clear();
  vi.unstubAllGlobals();
});

function show(): HTMLTextAreaElement {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  client.setQueryData<Session>(keys.session, { kind: "anyone" });
  render(
    <QueryClientProvider client={client}>
      <LiveProvider>
        <OutboxProvider>
          <Composer customerId={CUSTOMER} newestId={0} windowClosesAt={null} onDraft={() => {}} />
        </OutboxProvider>
      </LiveProvider>
    </QueryClientProvider>,
  );
  return screen.getByLabelText("Message");
}

describe("Enter in the composer", () => {
  const enter = { key: "Enter", keyCode: 13 };

  it.each([
    ["as most browsers tell it", { ...enter, isComposing: true }],
    ["as Safari tells it", { ...enter, keyCode: 229 }],
  ])("sends nothing while an input method composes, %s", (_, key) => {
    const field = show();
    fireEvent.change(field, { target: { value: "你好 ma" } });
    fireEvent.keyDown(field, key);
    expect(field.value).toBe("你好 ma");
  });

  it("sends what is written, once", async () => {
    const field = show();
    fireEvent.change(field, { target: { value: "你好吗" } });
    fireEvent.keyDown(field, enter);
    fireEvent.keyDown(field, enter);
    expect(field.value).toBe("");
    await vi.waitFor(() => expect(sent).not.toEqual([]));
    expect(sent).toMatchObject([{ customer_id: CUSTOMER, content: "你好吗" }]);
  });
});

describe("a chat that arrives", () => {
  afterEach(() => document.body.replaceChildren());

  function focusOn(element: HTMLElement): HTMLElement {
    document.body.append(element);
    element.focus();
    return element;
  }

  it("takes the focus where nothing has it", () => {
    const field = show();
    expect(document.activeElement).toBe(field);
  });

  it("takes it from the row that opened it", () => {
    const row = document.createElement("button");
    row.setAttribute(ROW, "7");
    focusOn(row);
    const field = show();
    expect(document.activeElement).toBe(field);
  });

  it("leaves it to whoever types elsewhere meanwhile", () => {
    const search = focusOn(document.createElement("input"));
    show();
    expect(document.activeElement).toBe(search);
  });
});
