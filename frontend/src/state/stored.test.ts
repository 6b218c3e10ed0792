import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { draftOf, NO_DRAFT } from "./drafts";
import { makeStored, useStored } from "./stored";

const isText = (value: unknown) => typeof value === "string";
const make = () => makeStored("crm.test", "", isText);

/** What another tab does: storage changes, and this tab is told. */
function inOtherTab(key: string, value: unknown): void {
  const newValue = value === null ? null : JSON.stringify(value);
  if (newValue === null) localStorage.removeItem(key);
  else localStorage.setItem(key, newValue);
  window.dispatchEvent(new StorageEvent("storage", { key, newValue }));
}

beforeEach(() => localStorage.clear());
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe("a stored value", () => {
  it("is read anew after a time in which nobody listened", () => {
    const stored = make();
    stored.set("mine");
    stored.subscribe(() => {})();
    inOtherTab("crm.test", "theirs");
    expect(stored.get()).toBe("theirs");
    const shown = renderHook(() => useStored(stored, ""));
    expect(shown.result.current).toBe("theirs");
  });

  it("is the same object for as long as its text is the same", () => {
    localStorage.setItem("crm.test", "[1]");
    const stored = makeStored<number[]>("crm.test", [], Array.isArray);
    expect(stored.get()).toBe(stored.get());
  });

  it("follows another tab while it is shown", () => {
    const stored = make();
    const shown = renderHook(() => useStored(stored, ""));
    act(() => inOtherTab("crm.test", "theirs"));
    expect(shown.result.current).toBe("theirs");
  });

  it("stays in memory where storage is full, until a write succeeds", () => {
    const stored = make();
    stored.set("old");
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    stored.set("new");
    expect(stored.get()).toBe("new");
    stored.subscribe(() => {})();
    expect(stored.get()).toBe("new");
    vi.restoreAllMocks();
    stored.set("newest");
    inOtherTab("crm.test", "theirs");
    expect(stored.get()).toBe("theirs");
  });

  it("is what it was at first where what is stored is no such value", () => {
    localStorage.setItem("crm.test", "[1");
    expect(make().get()).toBe("");
    localStorage.setItem("crm.test", "[1]");
    expect(make().get()).toBe("");
  });
});

it("does not bring a draft back that was sent in another tab", () => {
  const draft = draftOf("1", 7);
  draft.set({ text: "Hello", seen: 3 });
  draft.subscribe(() => {})();
  inOtherTab("crm.draft.1.7", null);
  expect(draft.get()).toBe(NO_DRAFT);
});
