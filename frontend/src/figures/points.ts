import type { Metrics } from "@/api/types";
import { type Sample, samplesOf, sumOf } from "./prometheus";

/** What one look at the server told, as far as it is drawn over time. */
export interface Point {
  readonly at: number;
  readonly sent: number;
  readonly received: number;
  readonly responseMs: number;
  /** Seconds. */
  readonly oldestUnsent: number;
}

/** A value at a moment. */
export interface Mark {
  readonly at: number;
  readonly value: number;
}

export const KEPT_MS = 60 * 60_000;
const MINUTE_MS = 60_000;

export function makePoint(at: number, metrics: Metrics, samples: readonly Sample[]): Point {
  return {
    at,
    sent: metrics.messages_sent_total,
    received: metrics.messages_received_total,
    responseMs: metrics.average_response_time_ms,
    oldestUnsent: sumOf(samples, "crm_oldest_unsent_seconds") ?? 0,
  };
}

/** The points of the last hour, with a new one. */
export function addPoint(points: readonly Point[], point: Point): Point[] {
  return [...points.filter(({ at }) => at > point.at - KEPT_MS), point];
}

/**
 * How fast a total grew in the minute before each point. In the first minute it is what came since
 * the first point: nothing is made up. Across a pause it is the mean of the pause.
 */
export function perMinute(points: readonly Point[], total: (point: Point) => number): Mark[] {
  let from = 0;
  return points.slice(1).map((point, index) => {
    while (from < index && (points[from + 1]?.at ?? 0) <= point.at - MINUTE_MS) from += 1;
    const start = points[from] ?? point;
    const minutes = Math.max(1, (point.at - start.at) / MINUTE_MS);
    // A total that fell was restored from a backup.
    return { at: point.at, value: Math.max(0, total(point) - total(start)) / minutes };
  });
}

/** The last mark of each minute: enough to read out. */
export function byMinute(marks: readonly Mark[]): Mark[] {
  const last = new Map<number, Mark>();
  for (const mark of marks) last.set(Math.floor(mark.at / MINUTE_MS), mark);
  return [...last.values()];
}

/** The gateway's state, as the workers last heard it. */
export function gatewayState(samples: readonly Sample[]): string {
  const current = samplesOf(samples, "crm_gateway_state").find(({ value }) => value === 1);
  return current?.labels.state ?? "unknown";
}
