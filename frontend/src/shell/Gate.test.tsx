import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import { RouterContext } from "next/dist/shared/lib/router-context.shared-runtime";
import type { NextRouter } from "next/router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signIn, useSession } from "@/api/session";
import { Gate } from "./Gate";

const agent = (id: number, name: string) => ({ id, name, role: "agent", csrf_token: name });
const MIA = agent(1, "Mia");
const NOA = agent(2, "Noa");

/** Who the server says is signed in. */
let me: ReturnType<typeof agent> | null;

function Who() {
  const session = useSession().data;
  return <p>{session?.kind === "agent" ? session.me.name : "nobody"}</p>;
}

function open() {
  const router = { asPath: "/", replace: vi.fn() } as unknown as NextRouter;
  render(
    <RouterContext.Provider value={router}>
      <QueryClientProvider client={new QueryClient()}>
        <Gate path="/">
          <Who />
        </Gate>
      </QueryClientProvider>
    </RouterContext.Provider>,
  );
}

/** Another tab has signed in or out: its key changed. */
function tell() {
  act(() => void window.dispatchEvent(new StorageEvent("storage", { key: "crm.session" })));
}

beforeEach(() => {
  localStorage.clear();
  me = MIA;
  vi.stubGlobal("fetch", async () => Response.json({ required: true, me }));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("the gate", () => {
  it("follows another tab from one agent to another", async () => {
    open();
    await screen.findByText("Mia");
    me = NOA;
    tell();
    await screen.findByText("Noa");
  });

  it("asks to sign in where another tab signed out, until another tab signs in", async () => {
    open();
    await screen.findByText("Mia");
    me = null;
    tell();
    await screen.findByLabelText("Login");
    me = MIA;
    tell();
    await vi.waitFor(() => expect(screen.queryByLabelText("Login")).toBeNull());
    await screen.findByText("Mia");
  });

  it("is told by a sign-in, which says nothing of who it was", async () => {
    vi.stubGlobal("fetch", async () => Response.json(MIA));
    await signIn(new QueryClient(), "mia@shop.example", "secret");
    const first = localStorage.getItem("crm.session");
    await signIn(new QueryClient(), "mia@shop.example", "secret");
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(localStorage.getItem("crm.session")).not.toBe(first);
  });
});
