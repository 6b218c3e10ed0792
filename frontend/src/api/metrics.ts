import { useQuery, useQueryClient } from "@tanstack/react-query";
import { addPoint, makePoint, type Point } from "@/figures/points";
import { parsePrometheus, type Sample } from "@/figures/prometheus";
import { fetchBody, fetchText } from "./client";
import { keys } from "./keys";
import type { Metrics } from "./types";

const EVERY_MS = 5_000;

/** The newest figures, and the last hour of those that are drawn. */
export interface Figures {
  readonly metrics: Metrics;
  readonly samples: readonly Sample[];
  readonly points: readonly Point[];
}

/** The server's figures, asked for while the page is looked at; kept until the page is left. */
export function useFigures() {
  const client = useQueryClient();
  return useQuery({
    queryKey: keys.metrics,
    staleTime: 0,
    gcTime: Number.POSITIVE_INFINITY,
    refetchInterval: EVERY_MS,
    structuralSharing: false, // a list that grows at its end is not worth comparing
    queryFn: async ({ signal }): Promise<Figures> => {
      const [metrics, text] = await Promise.all([
        fetchBody<Metrics>("/metrics", { signal }),
        fetchText("/metrics", { signal, headers: { Accept: "text/plain" } }),
      ]);
      const samples = parsePrometheus(text);
      const before = client.getQueryData<Figures>(keys.metrics)?.points ?? [];
      return {
        metrics,
        samples,
        points: addPoint(before, makePoint(Date.now(), metrics, samples)),
      };
    },
  });
}
