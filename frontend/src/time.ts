/** The API's times are UTC without an offset, with six decimals: this is the one place that knows. */
export function parseTime(text: string): Date {
  return new Date(/(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
}

const DAY_MS = 86_400_000;

/** The viewer's own calendar day, as a key that sorts. */
export function dayKey(moment: Date): string {
  const month = String(moment.getMonth() + 1).padStart(2, "0");
  return `${moment.getFullYear()}-${month}-${String(moment.getDate()).padStart(2, "0")}`;
}

/** Whole days of the viewer's calendar between two moments. */
export function daysApart(earlier: Date, later: Date): number {
  const first = new Date(earlier.getFullYear(), earlier.getMonth(), earlier.getDate());
  const last = new Date(later.getFullYear(), later.getMonth(), later.getDate());
  return Math.round((last.getTime() - first.getTime()) / DAY_MS);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, options: Intl.DateTimeFormatOptions, moment: Date): string {
  const key = locale + JSON.stringify(options);
  let known = formats.get(key);
  if (!known) {
    // Making one costs a hundred times as much as using it.
    known = new Intl.DateTimeFormat(locale, options);
    formats.set(key, known);
  }
  return known.format(moment);
}

/** `14:05`, as the locale writes it. */
export function clockTime(moment: Date, locale: string): string {
  return format(locale, { hour: "2-digit", minute: "2-digit" }, moment);
}

/** For the list: the time today, the weekday within a week, else the date. */
export function shortMoment(moment: Date, now: Date, locale: string): string {
  const days = daysApart(moment, now);
  if (days <= 0) return clockTime(moment, locale);
  if (days < 7) return format(locale, { weekday: "short" }, moment);
  return format(locale, { day: "2-digit", month: "2-digit", year: "2-digit" }, moment);
}

/** For the head of a day in a chat. */
export function longDay(moment: Date, now: Date, locale: string): string {
  const days = daysApart(moment, now);
  if (days === 0 || days === 1) {
    const word = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-days, "day");
    return word.charAt(0).toLocaleUpperCase(locale) + word.slice(1);
  }
  if (days > 0 && days < 7) return format(locale, { weekday: "long" }, moment);
  return format(locale, { day: "numeric", month: "long", year: "numeric" }, moment);
}

/** Date and time in full. */
export function fullMoment(moment: Date, locale: string): string {
  return format(locale, { dateStyle: "medium", timeStyle: "medium" }, moment);
}
