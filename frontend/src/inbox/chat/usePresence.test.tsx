import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { usePresence } from "./usePresence";

let told: { state: string; keepalive: boolean | undefined }[];

beforeEach(() => {
  told = [];
  vi.stubGlobal("fetch", async (path: string, { body, keepalive }: RequestInit) => {
    if (!path.includes("/presence")) return Response.json({ required: false, me: null });
    told.push({ state: JSON.parse(String(body)).state, keepalive });
    return Response.json({ customer_id: 1, at: "2026-01-01T00:00:00.000000", present: [] });
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function open() {
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  return renderHook(() => usePresence(1), { wrapper });
}

it("says once that something is written, and that it no longer is", () => {
  const { result } = open();
  act(() => result.current.onDraft(true));
  act(() => result.current.onDraft(true));
  act(() => result.current.onDraft(false));
  act(() => result.current.onDraft(false));
  act(() => result.current.onDraft(true));
  const states = told.map(({ state }) => state);
  expect(states).toEqual(["viewing", "typing", "viewing", "typing"]);
});

it("says that the chat was left even where the page is closed the moment after", () => {
  open().unmount();
  expect(told.at(-1)).toEqual({ state: "away", keepalive: true });
});
