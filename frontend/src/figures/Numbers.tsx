import type { Figures } from "@/api/metrics";
import { shortDuration } from "@/durations";
import { useText, type Wording } from "@/text";
import { en, type TextKey } from "@/text/en";
import styles from "./Numbers.module.css";
import { gatewayState } from "./points";
import { quantileEdge, type Sample, sumOf } from "./prometheus";

interface Fact {
  readonly name: string;
  readonly value: string;
  readonly hint?: string;
  readonly isBad?: boolean;
}

/** The newest figures: what went through, what waits, and how long it took. */
export function Numbers({ figures }: { figures: Figures }) {
  const wording = useText();
  return (
    <dl className={styles.numbers}>
      {factsOf(figures, wording).map(({ name, value, hint, isBad }) => (
        <div key={name} className={styles.number} data-bad={isBad === true}>
          <dt>{name}</dt>
          <dd>
            <strong>{value}</strong>
            {hint && <span>{hint}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf({ metrics, samples }: Figures, wording: Wording): Fact[] {
  const { t, locale } = wording;
  const count = (value: number | null) =>
    value === null ? t("notKnown") : value.toLocaleString(locale);
  return [
    { name: t("sentTotal"), value: count(metrics.messages_sent_total) },
    { name: t("receivedTotal"), value: count(metrics.messages_received_total) },
    {
      name: t("activeCustomers"),
      value: count(metrics.active_customers),
      hint: t("activeHint"),
    },
    {
      name: t("responseTime"),
      value: `${count(metrics.average_response_time_ms)} ms`,
      hint: t("responseHint"),
    },
    { name: t("uptime"), value: shortDuration(metrics.uptime_seconds, locale) },
    ...queueFacts(samples, wording, count),
    ...latencyFacts(samples, wording),
  ];
}

function queueFacts(
  samples: readonly Sample[],
  { t, locale }: Wording,
  count: (value: number | null) => string,
): Fact[] {
  const oldest = sumOf(samples, "crm_oldest_unsent_seconds") ?? 0;
  const dead = sumOf(samples, "crm_dead_letters");
  const state = gatewayState(samples);
  const key = `state_${state}`;
  return [
    {
      name: t("oldestUnsent"),
      value: oldest > 0 ? shortDuration(oldest, locale) : t("nothingWaits"),
      isBad: oldest > 60,
    },
    {
      name: t("deadLetters"),
      value: count(dead),
      hint: t("deadLettersHint"),
      isBad: (dead ?? 0) > 0,
    },
    { name: t("openPages"), value: count(sumOf(samples, "crm_streams_open")) },
    { name: t("jobsWaiting"), value: count(sumOf(samples, "crm_jobs_waiting")) },
    {
      name: t("gateway"),
      value: key in en ? t(key as TextKey) : state,
      isBad: state !== "ready",
    },
  ];
}

const LATENCIES: readonly [TextKey, string, Record<string, string>][] = [
  ["latencySent", "crm_ack_latency_seconds", { proof: "sent" }],
  ["latencyDelivered", "crm_ack_latency_seconds", { proof: "delivered" }],
  ["latencyInbound", "crm_inbound_lag_seconds", {}],
];

function latencyFacts(samples: readonly Sample[], { t, locale }: Wording): Fact[] {
  const show = (edge: number) =>
    edge === Number.POSITIVE_INFINITY
      ? t("overAnHour")
      : t("within", { time: shortDuration(edge, locale) });
  return LATENCIES.map(([name, histogram, labels]) => {
    const edge = quantileEdge(samples, histogram, 0.95, labels);
    return edge === null
      ? { name: t(name), value: t("nothingYet") }
      : { name: t(name), value: show(edge), hint: t("nineteenOfTwenty") };
  });
}
