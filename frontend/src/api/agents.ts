import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { fetchBody } from "./client";
import { keys } from "./keys";
import type { Agent, NewAgent, Role } from "./types";

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
