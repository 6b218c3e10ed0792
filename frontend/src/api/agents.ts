import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { fetchBody } from "./client";
import { keys } from "./keys";
import type { Me } from "./types";

export type Role = Me["role"];

/** An account; only owners see those of others. */
export interface Agent {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly role: Role;
  readonly disabled_at: string | null;
  readonly created_at: string;
}

/** The one answer that has a password in it. */
export interface NewAgent extends Agent {
  readonly password: string;
}

export function useAgents() {
  return useQuery({
    queryKey: keys.agents,
    queryFn: ({ signal }) => fetchBody<Agent[]>("/agents", { signal }),
  });
}

function useAgentsMutation<T, V>(mutationFn: (variables: V) => Promise<T>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.agents }),
  });
}

/** Adds an account; its password comes with the answer. */
export function useAddAgent() {
  return useAgentsMutation((agent: Pick<Agent, "login" | "name" | "role">) =>
    fetchBody<NewAgent>("/agents", { method: "POST", body: agent }),
  );
}

export interface AgentChange {
  readonly id: number;
  readonly change: { name?: string; role?: Role; disabled?: boolean };
}

export function useChangeAgent() {
  return useAgentsMutation(({ id, change }: AgentChange) =>
    fetchBody<Agent>(`/agents/${id}`, { method: "PATCH", body: change }),
  );
}

/** Gives an account a new password, which comes with the answer. */
export function useResetPassword() {
  return useAgentsMutation((id: number) =>
    fetchBody<NewAgent>(`/agents/${id}/reset_password`, { method: "POST" }),
  );
}
