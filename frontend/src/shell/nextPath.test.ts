import { describe, expect, it } from "vitest";
import { nextPath } from "./nextPath";

const ORIGIN = "https://crm.example";
const next = (wanted: unknown) => nextPath(wanted, ORIGIN);

describe("where to go after signing in", () => {
  it("is the page that was asked for, with its query and hash", () => {
    expect(next("/?c=7")).toBe("/?c=7");
    expect(next("/app/failed/?a=1#b")).toBe("/app/failed/?a=1#b");
    expect(next("/search?q=//x")).toBe("/search?q=//x");
  });

  it("is the inbox where nothing was asked for", () => {
    expect(next(undefined)).toBe("/");
    expect(next("")).toBe("/");
    expect(next(["/a", "/b"])).toBe("/");
  });

  it("is the inbox rather than the sign-in page once more", () => {
    expect(next("/login")).toBe("/");
    expect(next("/login/?next=/login/")).toBe("/");
    expect(next("/loginless/")).toBe("/loginless/");
  });

  it.each([
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "/.//evil.example/",
    "/a/..//evil.example/",
    "/%2e//evil.example/",
    "\\\\evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "evil.example",
    "http:evil.example",
    "//",
  ])("is never another origin: %j", (wanted) => {
    const found = next(wanted);
    expect(new URL(found, ORIGIN).origin).toBe(ORIGIN);
    expect(found).toBe("/");
  });
});
