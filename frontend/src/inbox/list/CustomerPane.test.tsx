import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LiveProvider } from "@/live/LiveProvider";
import { fakeBrowser } from "@/live/testKit";
import { CustomerPane } from "./CustomerPane";

const onNew = vi.fn();

/** The list of a shop that has no customer at all. */
beforeEach(() => {
  localStorage.clear();
  onNew.mockReset();
  fakeBrowser();
  vi.stubGlobal("fetch", async () => Response.json([], { headers: { "X-Stream-Cursor": "0" } }));
  render(
    <QueryClientProvider client={new QueryClient()}>
      <LiveProvider>
        <CustomerPane selected={null} onSelect={() => {}} onNew={onNew} />
      </LiveProvider>
    </QueryClientProvider>,
  );
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it("says to whoever comes first what will be here, and how to begin", async () => {
  const title = await screen.findByText("Nobody has written yet.");
  const notice = title.parentElement;
  expect(notice?.textContent).toContain("Customers appear here when they write.");
  const begin = notice?.querySelector("button");
  expect(begin?.textContent).toBe("New chat");
  if (begin) await userEvent.click(begin);
  expect(onNew).toHaveBeenCalledOnce();
});

it("calls a search that finds nobody something else, and leads back from it", async () => {
  await screen.findByText("Nobody has written yet.");
  await userEvent.type(screen.getByLabelText("Search"), "Mia");
  await screen.findByText("Nobody matches.");
  expect(screen.queryByText("Nobody has written yet.")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Show all" }));
  await screen.findByText("Nobody has written yet.");
});
