import { describe, expect, it } from "vitest";
import { splitLinks } from "./links";

const hrefs = (text: string) => splitLinks(text).flatMap(({ href }) => href ?? []);

describe("links in a text", () => {
  it("are found among words, without the sentence's own marks", () => {
    expect(hrefs("See https://example.com/a?b=1, and (http://example.org).")).toEqual([
      "https://example.com/a?b=1",
      "http://example.org",
    ]);
    expect(hrefs("请看 https://example.com/页。")).toEqual(["https://example.com/页"]);
  });

  it("keep a bracket that belongs to them", () => {
    expect(hrefs("https://en.wikipedia.org/wiki/Go_(game)")).toEqual([
      "https://en.wikipedia.org/wiki/Go_(game)",
    ]);
  });

  it("are never anything that runs", () => {
    for (const text of [
      "javascript:alert(1)",
      "data:text/html,x",
      "vbscript:x",
      "https://",
      "ftp://example.com",
    ]) {
      expect(hrefs(text)).toEqual([]);
    }
  });

  it("end where markup would begin, and nothing of the text is lost", () => {
    const text = `<a href="https://example.com">x</a> \u202ehttps://example.com\u202e end`;
    expect(hrefs(text)).toEqual(["https://example.com", "https://example.com"]);
    expect(
      splitLinks(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(text);
  });
});
