import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { keys } from "@/api/keys";
import type { Session } from "@/api/session";
import type { Agent } from "@/api/types";
import { Agents } from "./Agents";

afterEach(cleanup);

const OWNERS = ["Mia", "Tan"].map((name, place) => {
  return { id: place + 1, name, login: name, role: "owner", disabled_at: null };
}) as unknown as Agent[];

function buttonsOf(name: string) {
  const buttons = within(screen.getByRole("group", { name })).getAllByRole("button");
  return buttons.map((button) => [button.textContent, !(button as HTMLButtonElement).disabled]);
}

it("lets an owner neither demote nor disable themselves", () => {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  const me = { id: 1, name: "Mia", role: "owner", csrf_token: "token" };
  client.setQueryData(keys.session, { kind: "agent", me } as Session);
  client.setQueryData(keys.agents, OWNERS);
  render(
    <QueryClientProvider client={client}>
      <Agents />
    </QueryClientProvider>,
  );
  expect(buttonsOf("Mia")).toEqual([
    ["Make agent", false],
    ["Reset password", true],
    ["Disable", false],
  ]);
  expect(buttonsOf("Tan").map(([, isOn]) => isOn)).toEqual([true, true, true]);
});
