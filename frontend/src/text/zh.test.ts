import { expect, it } from "vitest";
import { en, type TextKey } from "./en";
import { zh } from "./zh";

const keys = Object.keys(en) as TextKey[];
const places = (text: string) => new Set(text.match(/\{\w+\}/g));

it("says everything in Chinese that is said in English", () => {
  const same = keys.filter((key) => zh[key] === en[key] || !/\p{Script=Han}/u.test(zh[key]));
  expect(same).toEqual(["within"]);
});

it.each(keys)("fills in the same places in both languages: %s", (key) => {
  expect(places(zh[key])).toEqual(places(en[key]));
});
