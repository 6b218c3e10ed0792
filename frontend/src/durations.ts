const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** `2 hours 5 minutes`: the two largest units, in the words of the locale. */
export function longDuration(seconds: number, locale: string): string {
  return inUnits(seconds, locale, "long");
}

/** The same, short: `2 hr 5 min`. */
export function shortDuration(seconds: number, locale: string): string {
  return inUnits(seconds, locale, "short");
}

function inUnits(seconds: number, locale: string, unitDisplay: "long" | "short"): string {
  const say = (unit: string, amount: number) =>
    new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay }).format(amount);
  let rest = Math.max(0, Math.round(seconds));
  const said: string[] = [];
  for (const [unit, size] of UNITS) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (said.length === 1) return amount ? `${said[0]} ${say(unit, amount)}` : (said[0] ?? "");
    if (amount) said.push(say(unit, amount));
  }
  if (rest || said.length === 0) said.push(say("second", rest));
  return said.join(" ");
}
