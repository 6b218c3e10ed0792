import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { newEntry } from "@/outbox/entries";
import { ChatLine } from "./ChatLine";
import { itemsOf } from "./items";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it("calls a day Yesterday once midnight has passed", () => {
  const beforeMidnight = new Date(2026, 2, 4, 23, 59, 50);
  vi.useFakeTimers({ now: beforeMidnight });
  const written = { customerId: 7, content: "Hello", template: null, lastSeenId: null };
  const [item] = itemsOf([], [newEntry(written, beforeMidnight)]);
  if (!item) throw new Error("There is no line.");
  render(
    <QueryClientProvider client={new QueryClient()}>
      <ChatLine item={item} isFirstUnread={false} />
    </QueryClientProvider>,
  );
  const day = () => screen.getByRole("heading").textContent;
  expect(day()).toBe("Today");
  act(() => vi.advanceTimersByTime(60_000));
  expect(day()).toBe("Yesterday");
});
