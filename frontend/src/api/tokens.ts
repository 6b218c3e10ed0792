import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { fetchBody } from "./client";
import { keys } from "./keys";
import type { NewToken, Token } from "./types";

/** Every token for scripts, the revoked ones too. */
export function useTokens() {
  return useQuery({
    queryKey: keys.tokens,
    queryFn: ({ signal }) => fetchBody<Token[]>("/tokens", { signal }),
  });
}

/** Makes a token; its text comes with the answer, and never again. */
export function useAddToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: Pick<Token, "name" | "scope">) =>
      fetchBody<NewToken>("/tokens", { method: "POST", body: token }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.tokens }),
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => fetchBody(`/tokens/${id}`, { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.tokens }),
  });
}
