import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import { newKey } from "@/outbox/entries";
import { writeText } from "@/state/stored";
import { fetchBody, setHolder, whenOtherAgent } from "./client";
import { keys } from "./keys";
import type { AuthState, Me } from "./types";

/** Who uses this page: somebody signed in, anyone (no sign-in is wanted), or a stranger. */
export type Session =
  | { readonly kind: "agent"; readonly me: Me }
  | { readonly kind: "anyone" }
  | { readonly kind: "stranger" };

/** Written at each sign-in and sign-out, for the other tabs; says nothing of who it was. */
const CHANGE_KEY = "crm.session";

function tellOtherTabs(): void {
  writeText(CHANGE_KEY, newKey());
}

async function fetchSession(signal?: AbortSignal): Promise<Session> {
  const { me, required } = await fetchBody<AuthState>("/auth/state", { signal });
  setHolder(me);
  if (me) return { kind: "agent", me };
  return { kind: required ? "stranger" : "anyone" };
}

/** Who uses this page; asked again whenever a call is refused. */
export function useSession() {
  return useQuery({ queryKey: keys.session, queryFn: ({ signal }) => fetchSession(signal) });
}

/** Asks again who uses this page when another tab, or the server, tells that it has changed. */
export function useSessionWatch(): void {
  const client = useQueryClient();
  useEffect(() => {
    const askAgain = () => void client.invalidateQueries({ queryKey: keys.session });
    const onStorage = (event: StorageEvent) => {
      if (event.key === CHANGE_KEY) askAgain();
    };
    window.addEventListener("storage", onStorage);
    const stopWatching = whenOtherAgent(askAgain);
    return () => {
      window.removeEventListener("storage", onStorage);
      stopWatching();
    };
  }, [client]);
}

const ANYONE = "anyone";

/** Under what name drafts and the outbox are kept: nobody sees another's. */
export function holderOf(session: Session | undefined): string | null {
  if (!session || session.kind === "stranger") return null;
  return session.kind === "agent" ? String(session.me.id) : ANYONE;
}

/** The id of the agent with such a name; null for anyone. */
export function agentOf(holder: string): number | null {
  return holder === ANYONE ? null : Number(holder);
}

/** Signs in; throws `ApiError`. */
export async function signIn(client: QueryClient, login: string, password: string): Promise<void> {
  const me = await fetchBody<Me>("/auth/login", { method: "POST", body: { login, password } });
  // One that was asked before would take the stranger of a moment ago for whoever is here now.
  await client.cancelQueries({ queryKey: keys.session });
  setHolder(me);
  tellOtherTabs();
  client.setQueryData(keys.session, { kind: "agent", me } satisfies Session);
}

/** Signs out, here or in every browser; what was fetched is forgotten. */
export function useSignOut(): (isEverywhere?: boolean) => Promise<void> {
  const client = useQueryClient();
  return useCallback(
    async (isEverywhere = false) => {
      const path = isEverywhere ? "/auth/logout_everywhere" : "/auth/logout";
      await fetchBody(path, { method: "POST" });
      setHolder(null);
      tellOtherTabs();
      client.clear();
      // A fresh page: nothing of this agent stays in memory, the event stream included.
      window.location.assign("/login/");
    },
    [client],
  );
}
