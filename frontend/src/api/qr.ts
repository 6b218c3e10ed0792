import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, fetchBody, fetchText } from "./client";
import { keys } from "./keys";

const EVERY_MS = 3_000;

/** The code to pair with, as an SVG drawing; null where there is none to scan. Asked for often. */
export function useQr(isNeeded: boolean) {
  const client = useQueryClient();
  return useQuery({
    queryKey: keys.qr,
    enabled: isNeeded,
    staleTime: 0,
    gcTime: 0, // a code that was scanned or is old is of no use
    refetchInterval: EVERY_MS,
    retry: false,
    queryFn: async ({ signal }) => {
      try {
        return await fetchText("/gateway/qr", { signal, headers: { Accept: "image/svg+xml" } });
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
        void client.invalidateQueries({ queryKey: keys.gateway });
        return null;
      }
    },
  });
}

/** Asks for new codes. */
export function useRenewQr() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => fetchBody("/gateway/qr", { method: "POST" }),
    onSettled: async () => {
      await client.invalidateQueries({ queryKey: keys.gateway });
      await client.invalidateQueries({ queryKey: keys.qr });
    },
  });
}
