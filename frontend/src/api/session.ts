import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { ApiError, fetchBody, setCsrfToken } from "./client";
import { keys } from "./keys";
import type { Me } from "./types";

/** Who uses this page: somebody signed in, anyone (no sign-in is wanted), or a stranger. */
export type Session =
  | { readonly kind: "agent"; readonly me: Me }
  | { readonly kind: "anyone" }
  | { readonly kind: "stranger" };

async function fetchSession(signal?: AbortSignal): Promise<Session> {
  try {
    const me = await fetchBody<Me>("/auth/me", { signal });
    setCsrfToken(me.csrf_token);
    return { kind: "agent", me };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  }
  setCsrfToken(null);
  const { required } = await fetchBody<{ required: boolean }>("/auth/state", { signal });
  return { kind: required ? "stranger" : "anyone" };
}

/** Who uses this page; asked again whenever a call is refused. */
export function useSession() {
  return useQuery({ queryKey: keys.session, queryFn: ({ signal }) => fetchSession(signal) });
}

/** Under what name drafts and the outbox are kept: nobody sees another's. */
export function holderOf(session: Session | undefined): string | null {
  if (!session || session.kind === "stranger") return null;
  return session.kind === "agent" ? String(session.me.id) : "anyone";
}

/** Signs in; throws `ApiError`. */
export async function signIn(client: QueryClient, login: string, password: string): Promise<void> {
  const me = await fetchBody<Me>("/auth/login", { method: "POST", body: { login, password } });
  setCsrfToken(me.csrf_token);
  client.setQueryData(keys.session, { kind: "agent", me } satisfies Session);
}

/** Signs out, here or in every browser; what was fetched is forgotten. */
export function useSignOut(): (isEverywhere?: boolean) => Promise<void> {
  const client = useQueryClient();
  return useCallback(
    async (isEverywhere = false) => {
      const path = isEverywhere ? "/auth/logout_everywhere" : "/auth/logout";
      await fetchBody(path, { method: "POST" });
      setCsrfToken(null);
      client.clear();
      // A fresh page: nothing of this agent stays in memory, the event stream included.
      window.location.assign("/login/");
    },
    [client],
  );
}
