import { expect, it } from "vitest";
import { longDuration, shortDuration } from "./durations";

it.each([
  [0, "0 seconds"],
  [-3, "0 seconds"],
  [1, "1 second"],
  [59.6, "1 minute"],
  [90, "1 minute 30 seconds"],
  [3_600, "1 hour"],
  [3_661, "1 hour 1 minute"],
  [86_400 + 30, "1 day"],
  [2 * 86_400 + 3 * 3_600, "2 days 3 hours"],
])("%d seconds are told by their two largest units: %s", (seconds, told) => {
  expect(longDuration(seconds, "en-GB")).toBe(told);
});

it("is told in the words of the locale", () => {
  expect(longDuration(300, "zh-CN")).toBe("5分钟");
  expect(shortDuration(90, "en-US")).toBe("1 min 30 sec");
});
