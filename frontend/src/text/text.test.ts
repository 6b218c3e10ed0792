import { expect, it } from "vitest";
import { fillIn, preferredLanguage } from ".";
import { en, type TextKey } from "./en";
import { zh } from "./zh";

const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

it("is filled in, with a form of its own for one", () => {
  expect(fillIn(en, "unread", { count: 3 })).toBe("3 unread");
  expect(fillIn(en, "retried", { count: 1 })).toBe("One message is on its way again.");
});

it("has the same places in every language", () => {
  for (const key of Object.keys(en) as TextKey[]) {
    if (key.endsWith("_one")) continue;
    expect(places(zh[key]), key).toEqual(places(en[key]));
  }
});

it("follows the browser's first known language", () => {
  expect(preferredLanguage(["fr", "zh-TW", "en"])).toBe("zh");
  expect(preferredLanguage(["de"])).toBe("en");
});
