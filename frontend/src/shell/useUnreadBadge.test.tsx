import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { CustomerSummary } from "@/api/types";
import { LiveProvider } from "@/live/LiveProvider";
import { customer, fakeBrowser } from "@/live/testKit";
import { badge } from "@/state/settings";
import { useUnreadBadge } from "./useUnreadBadge";

let asked: string[];
let rows: CustomerSummary[];
let headers: Record<string, string>;

beforeEach(() => {
  localStorage.clear();
  fakeBrowser();
  [asked, rows, headers] = [[], [], {}];
  vi.stubGlobal("fetch", async (address: string) => {
    if (!address.includes("/customers/summary")) return Response.json({ me: null });
    asked.push(address);
    return Response.json(rows, { headers });
  });
});
afterEach(() => {
  cleanup();
  badge.set(false);
  vi.unstubAllGlobals();
});

function Around({ children }: { children: ReactNode }) {
  return (
    <QueryClientProvider client={new QueryClient()}>
      <LiveProvider>{children}</LiveProvider>
    </QueryClientProvider>
  );
}

const show = () => renderHook(useUnreadBadge, { wrapper: Around }).result;
const unread = (id: number, count = 1) => customer(id, id, { unread_count: count });

it("says nothing, and asks for nothing, until somebody wants it", async () => {
  rows = [unread(1)];
  const title = show();
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(title.current).toBe("");
  expect(asked).toEqual([]);
  act(() => badge.set(true));
  await vi.waitFor(() => expect(title.current).toBe("(1) "));
  act(() => badge.set(false));
  expect(title.current).toBe("");
});

it("counts chats, not messages, and only those with something unread", async () => {
  badge.set(true);
  rows = [unread(3, 5), unread(2), customer(1, 1)];
  const title = show();
  await vi.waitFor(() => expect(title.current).toBe("(2) "));
  expect(asked[0]).toContain("order=unread");
});

it("says that there are more than it knows of", async () => {
  badge.set(true);
  rows = [unread(2), unread(1)];
  headers = { Link: '</customers/summary?cursor=more>; rel="next"' };
  const title = show();
  await vi.waitFor(() => expect(title.current).toBe("(2+) "));
});

it("is nothing where all is read", async () => {
  badge.set(true);
  rows = [customer(1, 1)];
  const title = show();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(title.current).toBe("");
});
