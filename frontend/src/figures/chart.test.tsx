import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { LineChart } from "./LineChart";
import { addPoint, byMinute, gatewayState, makePoint, type Point, perMinute } from "./points";
import { parsePrometheus } from "./prometheus";
import { HEIGHT, niceTop, scaleOf, toPath, WIDTH } from "./scale";

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 23, 12);

function point(at: number, sent: number): Point {
  return { at: START + at, sent, received: 0, responseMs: 0, oldestUnsent: 0 };
}

const rates = (points: Point[]) => perMinute(points, ({ sent }) => sent).map(({ value }) => value);

afterEach(cleanup);

describe("messages per minute", () => {
  it("need two looks at the total", () => {
    expect(rates([])).toEqual([]);
    expect(rates([point(0, 500)])).toEqual([]);
  });

  it("are what came so far within the first minute", () => {
    expect(rates([point(0, 500), point(5_000, 501), point(30_000, 510)])).toEqual([1, 10]);
  });

  it("are what came in the last minute afterwards", () => {
    const points = [point(0, 0), point(30_000, 5), point(60_000, 6), point(90_000, 9)];
    expect(rates(points)).toEqual([5, 6, 4]);
  });

  it("are the mean of a time in which nobody looked", () => {
    expect(rates([point(0, 0), point(5_000, 2), point(10 * MINUTE + 5_000, 32)])).toEqual([2, 3]);
  });

  it("never fall below nothing, when an older database came back", () => {
    expect(rates([point(0, 100), point(5_000, 3)])).toEqual([0]);
  });
});

describe("the kept points", () => {
  it("are those of the last hour", () => {
    let points: Point[] = [];
    for (let minute = 0; minute <= 90; minute += 1)
      points = addPoint(points, point(minute * MINUTE, minute));
    expect(points).toHaveLength(60);
    expect(points[0]?.sent).toBe(31);
    expect(points.at(-1)?.sent).toBe(90);
  });

  it("are made of the figures and of the Prometheus text", () => {
    const metrics = {
      messages_sent_total: 4,
      messages_received_total: 5,
      active_customers: 1,
      average_response_time_ms: 7,
      uptime_seconds: 8,
    };
    const samples = parsePrometheus("crm_oldest_unsent_seconds 3.5\n");
    expect(makePoint(START, metrics, samples)).toEqual({
      at: START,
      sent: 4,
      received: 5,
      responseMs: 7,
      oldestUnsent: 3.5,
    });
  });

  it("are read out once a minute, by their last value", () => {
    const marks = [0, 30_000, 59_000, 61_000].map((at, value) => ({ at: START + at, value }));
    expect(byMinute(marks).map(({ value }) => value)).toEqual([2, 3]);
  });
});

it("the gateway's state is the one that is marked", () => {
  const text = 'crm_gateway_state{state="ready"} 0.0\ncrm_gateway_state{state="need_qr"} 1.0';
  expect(gatewayState(parsePrometheus(text))).toBe("need_qr");
  expect(gatewayState([])).toBe("unknown");
});

describe("the scale of a chart", () => {
  it.each([
    [0, 1],
    [Number.NaN, 1],
    [0.3, 0.4],
    [1, 1],
    [3, 4],
    [7, 10],
    [101, 200],
    [999, 1_000],
    [4_000_000, 4_000_000],
  ])("shows %d up to %d", (value, top) => {
    expect(niceTop(value)).toBeCloseTo(top, 9);
  });

  it("shows at least a minute and a least height", () => {
    const scale = scaleOf([[{ at: START, value: 0 }]], 4);
    expect(scale).toEqual({ from: START - MINUTE, to: START, top: 4 });
  });

  it("holds the marks of all lines", () => {
    const scale = scaleOf([[{ at: START, value: 3 }], [{ at: START + 2 * MINUTE, value: 70 }]], 1);
    expect(scale).toEqual({ from: START, to: START + 2 * MINUTE, top: 100 });
  });

  it("of no lines can be drawn too", () => {
    expect(scaleOf([], 4).top).toBe(4);
  });
});

describe("a line", () => {
  const scale = { from: START, to: START + MINUTE, top: 10 };

  it("goes from edge to edge, and from the ground to the top", () => {
    const marks = [0, 30_000, 60_000].map((at, index) => ({ at: START + at, value: index * 5 }));
    expect(toPath(marks, scale)).toBe(
      `M0 ${HEIGHT}L0 ${HEIGHT}L${WIDTH / 2} ${HEIGHT / 2}L${WIDTH} 0`,
    );
  });

  it("is broken where nobody looked", () => {
    const marks = [0, 5_000, 50_000].map((at) => ({ at: START + at, value: 0 }));
    expect(toPath(marks, scale).match(/M/g)).toHaveLength(2);
  });

  it("of no marks is no path", () => {
    expect(toPath([], scale)).toBe("");
  });
});

describe("a chart", () => {
  const marks = (value: number) => [
    { at: START, value: 1 },
    { at: START + 2 * MINUTE, value },
  ];
  const show = (value: number) => `${value} pieces`;

  it("tells its newest values to those who do not see it, and all in a table", () => {
    const lines = [
      { name: "In", marks: marks(3) },
      { name: "Out", marks: marks(4) },
    ];
    render(<LineChart title="Traffic" lines={lines} show={show} least={1} />);
    expect(screen.getByRole("img", { name: "Traffic. In: 3 pieces, Out: 4 pieces" })).toBeTruthy();
    const table = screen.getByRole("table", { name: "Traffic" });
    expect(
      within(table)
        .getAllByRole("columnheader")
        .map((each) => each.textContent),
    ).toEqual(["Time", "In", "Out"]);
    expect(within(table).getAllByRole("row")).toHaveLength(3);
    expect(
      within(table)
        .getAllByRole("cell")
        .map((each) => each.textContent),
    ).toEqual(["1 pieces", "1 pieces", "3 pieces", "4 pieces"]);
  });

  it("says that it waits while there is nothing to draw", () => {
    render(<LineChart title="Traffic" lines={[{ name: "In", marks: [] }]} show={show} least={1} />);
    expect(screen.queryByRole("img")).toBeNull();
    expect(screen.getByText(/next figures/)).toBeTruthy();
  });
});
