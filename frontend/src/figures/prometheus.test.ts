import { describe, expect, it } from "vitest";
import { parsePrometheus, quantileEdge, sumOf } from "./prometheus";

const TEXT = `# HELP crm_oldest_unsent_seconds Age of what the gateway has not
# TYPE crm_oldest_unsent_seconds gauge
crm_oldest_unsent_seconds 12.5
crm_messages_sent_total 1.234e+06 1764000000000
crm_worker_heartbeat_age_seconds +Inf
crm_jobs_waiting NaN
crm_streams_open{process="vm:1"} 2.0
crm_streams_open{process="vm:2"} 3.0
crm_dead_letters{kind="messages"} 1.0
crm_dead_letters{kind="callbacks"} NaN
odd{path="C:\\\\x\\"y\\"",text="a}b{c, d=\\"e\\"\\n"} -1
this is no sample

crm_ack_latency_seconds_bucket{le="10.0",proof="sent"} 20.0
crm_ack_latency_seconds_bucket{le="1.0",proof="sent"} 18.0
crm_ack_latency_seconds_bucket{le="2.0",proof="sent"} 19.0
crm_ack_latency_seconds_bucket{le="+Inf",proof="sent"} 20.0
crm_ack_latency_seconds_bucket{le="1.0",proof="delivered"} 0.0
crm_ack_latency_seconds_bucket{le="+Inf",proof="delivered"} 4.0
crm_inbound_lag_seconds_bucket{le="1.0"} 0.0
crm_inbound_lag_seconds_bucket{le="+Inf"} 0.0
`;
const samples = parsePrometheus(TEXT);

describe("a Prometheus text", () => {
  it("gives numbers, with exponents and time stamps", () => {
    expect(sumOf(samples, "crm_oldest_unsent_seconds")).toBe(12.5);
    expect(sumOf(samples, "crm_messages_sent_total")).toBe(1_234_000);
    expect(sumOf(samples, "crm_worker_heartbeat_age_seconds")).toBe(Number.POSITIVE_INFINITY);
  });

  it("gives labels, whatever characters they hold", () => {
    const odd = samples.find(({ name }) => name === "odd");
    expect(odd?.labels).toEqual({ path: 'C:\\x"y"', text: 'a}b{c, d="e"\n' });
    expect(odd?.value).toBe(-1);
  });

  it("leaves out comments and lines that are no samples", () => {
    expect(samples.map(({ name }) => name)).not.toContain("this");
    expect(parsePrometheus("")).toEqual([]);
    expect(parsePrometheus("<!doctype html>\n<p>Bad gateway</p>")).toEqual([]);
  });

  it("adds up the samples of a name, by label where one is given", () => {
    expect(sumOf(samples, "crm_streams_open")).toBe(5);
    expect(sumOf(samples, "crm_streams_open", { process: "vm:2" })).toBe(3);
  });

  it("knows nothing where a part is unknown or the name is not there", () => {
    expect(sumOf(samples, "crm_jobs_waiting")).toBeNull();
    expect(sumOf(samples, "crm_dead_letters")).toBeNull();
    expect(sumOf(samples, "crm_nothing")).toBeNull();
  });
});

describe("the bucket that most observations lie within", () => {
  const edge = (share: number, proof: string) =>
    quantileEdge(samples, "crm_ack_latency_seconds", share, { proof });

  it("is the first whose count is enough, in whatever order they come", () => {
    expect(edge(0.5, "sent")).toBe(1);
    expect(edge(0.95, "sent")).toBe(2);
    expect(edge(0.96, "sent")).toBe(10);
  });

  it("is the endless one for what took longer than every edge", () => {
    expect(edge(0.5, "delivered")).toBe(Number.POSITIVE_INFINITY);
  });

  it("is none where nothing was observed", () => {
    expect(quantileEdge(samples, "crm_inbound_lag_seconds", 0.95)).toBeNull();
    expect(quantileEdge(samples, "crm_nothing", 0.95)).toBeNull();
  });
});
