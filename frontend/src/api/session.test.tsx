import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, expect, it, vi } from "vitest";
import { setHolder } from "./client";
import { keys } from "./keys";
import { signIn, useSession } from "./session";

const MIA = { id: 1, csrf_token: "mia's" };

afterEach(() => {
  setHolder(null);
  vi.unstubAllGlobals();
});

it("believes no answer from before the sign-in that comes after it", async () => {
  const late: (() => void)[] = [];
  vi.stubGlobal("fetch", (path: string, { signal }: RequestInit) => {
    if (path.endsWith("/auth/login")) return Promise.resolve(Response.json(MIA));
    return new Promise<Response>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      late.push(() => resolve(Response.json({ required: true, me: null })));
    });
  });
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  const { result } = renderHook(useSession, { wrapper });
  client.setQueryData(keys.session, { kind: "stranger" });
  void client.invalidateQueries({ queryKey: keys.session });
  await waitFor(() => expect(late.length).toBeGreaterThan(0));
  await signIn(client, "mia", "a password");
  for (const answer of late) answer();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(result.current.data).toEqual({ kind: "agent", me: MIA });
});
