import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import type { Message } from "@/api/types";
import { message } from "@/live/testKit";
import { Announcer } from "./Announcer";

afterEach(cleanup);

/** An open chat; counts what the live region adds, as a screen reader does. */
function open(newest: Message | undefined) {
  const shown = render(<Announcer message={newest} name="Mia" />);
  const region = shown.container.querySelector("[aria-live=polite]");
  if (!region) throw new Error("There is no live region.");
  const watcher = new MutationObserver(() => {});
  watcher.observe(region, { childList: true, characterData: true, subtree: true });
  const said: string[] = [];
  const come = (next: Message) => {
    shown.rerender(<Announcer message={next} name="Mia" />);
    const isChanged = watcher.takeRecords().length > 0;
    if (isChanged && region.textContent) said.push(region.textContent);
  };
  return { region, said, come };
}

it("says nothing of what the chat had when it was opened", () => {
  expect(open(message(5)).region.textContent).toBe("");
});

it("says a new message once, however often it is drawn", () => {
  const { said, come } = open(message(5));
  come(message(6));
  come(message(6));
  come(message(6, { ack: 3, status: "read" }));
  expect(said).toEqual(["New message from Mia: Text 6"]);
});

it("says the first message of a chat that had none", () => {
  const { said, come } = open(undefined);
  come(message(1));
  expect(said).toEqual(["New message from Mia: Text 1"]);
});

it("says the same words again where they were written again", () => {
  const { said, come } = open(message(5));
  come(message(6, { content: "Hello?" }));
  come(message(7, { content: "Hello?" }));
  expect(said).toEqual(Array(2).fill("New message from Mia: Hello?"));
});

it("says nothing of what the shop writes", () => {
  const { region, said, come } = open(message(5));
  come(message(6, { direction: "outbound" }));
  expect(said).toEqual([]);
  expect(region.textContent).toBe("");
});
