import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { itemsOf } from "./items";
import { MessageList } from "./MessageList";
import { FakeIntersection, oldMessage } from "./testKit";

beforeEach(() => {
  FakeIntersection.all.clear();
  vi.stubGlobal("IntersectionObserver", FakeIntersection);
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const items = itemsOf([oldMessage(5)], []);

function show() {
  const onTop = vi.fn();
  const client = new QueryClient({ defaultOptions: { queries: { enabled: false } } });
  const list = (hasOlder: boolean, isOlderFailed = false, older = 0) => (
    <QueryClientProvider client={client}>
      <MessageList
        items={items}
        older={older}
        hasOlder={hasOlder}
        isOlderFailed={isOlderFailed}
        onTop={onTop}
        onShown={() => {}}
      />
    </QueryClientProvider>
  );
  const { rerender } = render(list(true));
  const look = () => act(() => FakeIntersection.reachTop());
  return { onTop, look, become: (...state: Parameters<typeof list>) => rerender(list(...state)) };
}

describe("the beginning of what is shown of a chat", () => {
  it("asks for older messages when it comes near, and again after each page", () => {
    const { onTop, look, become } = show();
    look();
    expect(onTop).toHaveBeenCalledTimes(1);
    become(false);
    become(true, false, 60);
    look();
    expect(onTop).toHaveBeenCalledTimes(2);
  });

  it("is looked at again after an answer in whose way it would have been", () => {
    const { onTop, look, become } = show();
    become(false);
    look();
    expect(onTop).not.toHaveBeenCalled();
    become(true);
    look();
    expect(onTop).toHaveBeenCalledOnce();
  });

  it("says when a page did not come, and asks for it again when told to", async () => {
    const { onTop, look, become } = show();
    become(true, true);
    look();
    expect(onTop).not.toHaveBeenCalled(); // a server that refuses is not asked without end
    expect(screen.getByText("This could not be loaded.")).toBeDefined();
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(onTop).toHaveBeenCalledOnce();
    become(true, false, 60);
    expect(screen.queryByText("This could not be loaded.")).toBeNull();
  });
});
