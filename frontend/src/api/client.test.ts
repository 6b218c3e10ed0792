import { afterEach, describe, expect, it, vi } from "vitest";
import { call, setHolder, whenOtherAgent } from "./client";

const MIA = { id: 1, csrf_token: "mia's" };

/** A server where the session of the cookie is this agent's; remembers who posted what. */
function serve(me: { id: number; csrf_token: string }) {
  const posted: unknown[] = [];
  vi.stubGlobal("fetch", async (path: string, { method, headers, body }: RequestInit) => {
    if (path.endsWith("/auth/me")) return Response.json(me);
    const token = new Headers(headers).get("X-CSRF-Token");
    if (method === "POST" && token !== me.csrf_token) {
      return Response.json({ detail: "The X-CSRF-Token header is old." }, { status: 403 });
    }
    posted.push([me.id, JSON.parse(String(body))]);
    return Response.json({});
  });
  return posted;
}

const post = (more = {}) => call("/messages/send", { method: "POST", body: "Hello", ...more });

afterEach(() => {
  setHolder(null);
  vi.unstubAllGlobals();
});

describe("a call after another tab has signed in", () => {
  it("goes on with the new token where it is the same agent", async () => {
    const posted = serve({ ...MIA, csrf_token: "mia's next" });
    setHolder(MIA);
    await post();
    await post();
    expect(posted).toEqual([
      [1, "Hello"],
      [1, "Hello"],
    ]);
  });

  it("posts nothing in the name of another agent, and has the session asked for anew", async () => {
    const posted = serve({ id: 2, csrf_token: "noa's" });
    const asked = vi.fn();
    const stop = whenOtherAgent(asked);
    setHolder(MIA);
    await expect(post()).rejects.toMatchObject({ status: 401 });
    stop();
    expect(posted).toEqual([]);
    expect(asked).toHaveBeenCalledOnce();
  });

  it("posts nothing that is another's, also where the page knows of the change", async () => {
    const posted = serve({ id: 2, csrf_token: "noa's" });
    setHolder({ id: 2, csrf_token: "noa's" });
    await expect(post({ agent: 1 })).rejects.toMatchObject({ status: 401 });
    await expect(post({ agent: null })).rejects.toMatchObject({ status: 401 });
    expect(posted).toEqual([]);
    await post({ agent: 2 });
    expect(posted).toEqual([[2, "Hello"]]);
  });
});
