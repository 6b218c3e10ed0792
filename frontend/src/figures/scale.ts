import type { Mark } from "./points";

/** From when to when, and up to which value, a chart is drawn. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly top: number;
}

export const WIDTH = 1_000;
export const HEIGHT = 200;
const SHORTEST_MS = 60_000;
/** Two marks further apart than this were not taken one after the other. */
const GAP_MS = 30_000;
const STEPS = [1, 2, 4, 5, 10];

/** A round number that is not below the value, and whose half is round too. */
export function niceTop(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** The scale that shows all marks of all lines; a short while is not drawn out. */
export function scaleOf(lines: readonly (readonly Mark[])[], least: number): Scale {
  const marks = lines.flat();
  const times = marks.map(({ at }) => at);
  const to = Math.max(0, ...times);
  const from = Math.min(to - SHORTEST_MS, ...times);
  return { from, to, top: niceTop(Math.max(least, ...marks.map(({ value }) => value))) };
}

/** A line through the marks as an SVG path, broken where nobody looked. */
export function toPath(marks: readonly Mark[], { from, to, top }: Scale): string {
  let before = Number.NEGATIVE_INFINITY;
  return marks
    .map(({ at, value }) => {
      const x = round(((at - from) / (to - from)) * WIDTH);
      const y = round(HEIGHT - (Math.min(value, top) / top) * HEIGHT);
      const isFirst = at - before > GAP_MS;
      before = at;
      // A lone mark shows as a dot, since the line has round ends.
      return isFirst ? `M${x} ${y}L${x} ${y}` : `L${x} ${y}`;
    })
    .join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
