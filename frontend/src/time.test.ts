import { describe, expect, it } from "vitest";
import { dayKey, daysApart, longDay, parseTime, shortMoment } from "./time";

describe("times", () => {
  it("of the API are UTC", () => {
    expect(parseTime("2025-09-23T14:05:43.040413").toISOString()).toBe("2025-09-23T14:05:43.040Z");
    expect(parseTime("2025-09-23T14:05:43Z").toISOString()).toBe("2025-09-23T14:05:43.000Z");
    expect(parseTime("2025-09-23T14:05:43+08:00").toISOString()).toBe("2025-09-23T06:05:43.000Z");
  });

  it("are counted in the viewer's own days", () => {
    const late = new Date(2026, 0, 1, 23, 59);
    const early = new Date(2026, 0, 2, 0, 1);
    expect(daysApart(late, early)).toBe(1);
    expect(dayKey(late)).toBe("2026-01-01");
  });

  it("are short in the list", () => {
    const now = new Date(2026, 0, 8, 12, 0);
    expect(shortMoment(new Date(2026, 0, 8, 9, 5), now, "en-GB")).toBe("09:05");
    expect(shortMoment(new Date(2026, 0, 5), now, "en-GB")).toBe("Mon");
    expect(shortMoment(new Date(2025, 11, 1), now, "en-GB")).toBe("01/12/25");
  });

  it("head the days of a chat in the viewer's language", () => {
    const now = new Date(2026, 0, 8, 12, 0);
    expect(longDay(new Date(2026, 0, 8), now, "en-GB")).toBe("Today");
    expect(longDay(new Date(2026, 0, 7), now, "zh-CN")).toBe("昨天");
    expect(longDay(new Date(2025, 0, 7), now, "en-GB")).toBe("7 January 2025");
  });
});
