import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keys } from "@/api/keys";
import { LiveProvider } from "@/live/LiveProvider";
import { newEntry } from "@/outbox/entries";
import { OutboxProvider } from "@/outbox/OutboxProvider";
import { draftOf } from "@/state/drafts";
import { EntryButtons } from "./EntryBubble";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

function show(lastSeenId: number | null) {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } });
  client.setQueryData(keys.session, { kind: "anyone" });
  const rows = [{ id: 41 }, { id: 42 }];
  client.setQueryData(keys.chat(1), { pages: [{ rows, at: 0, next: null }], pageParams: [null] });
  const entry = newEntry({ customerId: 1, content: "Hello", template: null, lastSeenId });
  render(
    <QueryClientProvider client={client}>
      <LiveProvider>
        <OutboxProvider>
          <EntryButtons entry={entry} />
        </OutboxProvider>
      </LiveProvider>
    </QueryClientProvider>,
  );
  return userEvent.click(screen.getByRole("button", { name: "Edit" }));
}

it("gives the text back to its writer with what they had seen", async () => {
  await show(40);
  expect(draftOf("anyone", 1).get()).toEqual({ text: "Hello", seen: 40 });
});

it("takes what the chat shows as seen where nothing else is known", async () => {
  await show(null);
  expect(draftOf("anyone", 1).get()).toEqual({ text: "Hello", seen: 42 });
});
