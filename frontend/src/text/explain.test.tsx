import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { RouterContext } from "next/dist/shared/lib/router-context.shared-runtime";
import type { NextRouter } from "next/router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fetchBody } from "@/api/client";
import { keys } from "@/api/keys";
import type { GatewayStatus } from "@/api/types";
import { EntryBubble } from "@/inbox/chat/EntryBubble";
import { LiveProvider } from "@/live/LiveProvider";
import { type Entry, newEntry } from "@/outbox/entries";
import { Connection } from "@/pairing/Connection";
import { StatusBar } from "@/shell/StatusBar";
import { type Language, language } from "@/state/settings";
import { fillIn, WordingProvider } from ".";
import { explain } from "./explain";
import { zh } from "./zh";

const ROUTER = { query: {}, push: async () => true } as unknown as NextRouter;

const inChinese = (...[key, fill]: Parameters<Parameters<typeof explain>[1]>) =>
  fillIn(zh, key, fill);

afterEach(() => {
  cleanup();
  language.set(null);
  vi.unstubAllGlobals();
});

describe("what is said of a failure, in Chinese", () => {
  const failure = (answer: () => Promise<Response>) => {
    vi.stubGlobal("fetch", answer);
    return fetchBody("/customers/1").catch((error: unknown) => explain(error, inChinese));
  };

  it("is in Chinese where the server cannot be reached", async () => {
    const said = await failure(() => Promise.reject(new TypeError("Failed to fetch")));
    expect(said).toBe(zh.serverAway);
  });

  it("is in Chinese where somebody else has signed in meanwhile", async () => {
    const refused = fetchBody("/customers/1", { agent: 2 });
    expect(await refused.catch((error: unknown) => explain(error, inChinese))).toBe(zh.otherAgent);
  });

  it("is in Chinese where something before the server answers", async () => {
    const answer = new Response("<h1>Bad gateway</h1>", { status: 502 });
    expect(await failure(async () => answer)).toBe("服务器返回错误 502。");
  });

  it("is the server's own sentence where it gave one", async () => {
    const answer = Response.json({ detail: "There is no customer 1." }, { status: 404 });
    expect(await failure(async () => answer)).toBe("There is no customer 1.");
  });
});

describe("why a message was refused, in Chinese", () => {
  const written = { customerId: 7, content: "Hello", template: null, lastSeenId: null };
  const said = (refusal: Partial<Entry>) => {
    language.set("zh");
    const entry: Entry = { ...newEntry(written), state: "refused", ...refusal };
    const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
    client.setQueryData(keys.session, { kind: "anyone" });
    render(
      <QueryClientProvider client={client}>
        <WordingProvider>
          <EntryBubble entry={entry} moment={new Date()} />
        </WordingProvider>
      </QueryClientProvider>,
    );
    return screen.getByText(/^服务器未接受/).textContent;
  };

  it("is in Chinese where something before the server refused it", () => {
    expect(said({ refusal: 413 })).toBe("服务器未接受：服务器返回错误 413。");
  });

  it("is the server's own sentence where it gave one", () => {
    expect(said({ refusal: 422, detail: "Too long." })).toBe("服务器未接受：Too long.");
  });
});

describe("the gateway's advice", () => {
  const ADVICE = "Scan the code with the phone.";
  const pages = [
    ["the bar", <StatusBar key="bar" />],
    ["the page to pair", <Connection key="pairing" />],
  ] as const;
  const show = (page: React.ReactNode, chosen: Language) => {
    language.set(chosen);
    const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
    const status = { ready: false, state: "degraded", need_qr: false, advice: ADVICE };
    client.setQueryData(keys.gateway, status as GatewayStatus);
    render(
      <QueryClientProvider client={client}>
        <WordingProvider>
          <RouterContext.Provider value={ROUTER}>
            <LiveProvider>{page}</LiveProvider>
          </RouterContext.Provider>
        </WordingProvider>
      </QueryClientProvider>,
    );
  };

  it.each(pages)("is shown in English in %s", (_, page) => {
    show(page, "en");
    expect(screen.getByText(new RegExp(ADVICE))).toBeTruthy();
  });

  it.each(pages)("is left out in Chinese in %s", (_, page) => {
    show(page, "zh");
    expect(screen.getByText(new RegExp(zh.gateway_degraded))).toBeTruthy();
    expect(screen.queryByText(new RegExp(ADVICE))).toBeNull();
  });
});
