import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { keys } from "@/api/keys";
import type { Message } from "@/api/types";
import { message } from "@/live/testKit";
import { language } from "@/state/settings";
import { WordingProvider } from "@/text";
import { MessageBubble } from "./MessageBubble";

afterEach(() => {
  cleanup();
  language.set(null);
});

function show(more: Partial<Message>) {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  client.setQueryData(keys.session, { kind: "anyone" });
  render(
    <QueryClientProvider client={client}>
      <WordingProvider>
        <MessageBubble message={message(1, more)} moment={new Date()} continues={false} />
      </WordingProvider>
    </QueryClientProvider>,
  );
}

describe("the ticks of a message that went out", () => {
  it.each([
    [1, "sent", "Sent", "已发送"],
    [2, "delivered", "Delivered", "已送达"],
    [3, "read", "Read", "已读"],
    [4, "played", "Played", "已播放"],
  ] as const)("with ack %i say how far it got: %s", (ack, status, name, chinese) => {
    language.set("en");
    show({ direction: "outbound", ack, status });
    const ticks = screen.getByTitle(name);
    expect(ticks.dataset.status).toBe(status);
    expect(ticks.textContent).toBe(name);
    cleanup();
    language.set("zh");
    show({ direction: "outbound", ack, status });
    expect(screen.getByTitle(chinese).textContent).toBe(chinese);
  });

  it("are not drawn on what a customer wrote", () => {
    show({ direction: "inbound", ack: 2, status: "delivered" });
    expect(screen.queryByTitle("Delivered")).toBeNull();
  });
});
