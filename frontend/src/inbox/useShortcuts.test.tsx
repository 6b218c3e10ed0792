import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { useShortcuts } from "./useShortcuts";

afterEach(cleanup);

function Keys({ onEscape }: { onEscape: () => void }) {
  useShortcuts({ onHelp: () => {}, onEscape });
  return <input aria-label="Search" />;
}

it("leaves Escape to the input method that it ends, also in Safari", () => {
  render(<Keys onEscape={() => {}} />);
  const field = screen.getByLabelText("Search");
  field.focus();
  fireEvent.keyDown(field, { key: "Escape", keyCode: 229 });
  expect(document.activeElement).toBe(field);
  fireEvent.keyDown(field, { key: "Escape", keyCode: 27 });
  expect(document.activeElement).toBe(document.body);
});

it("closes with Escape where nobody types", () => {
  const onEscape = vi.fn();
  render(<Keys onEscape={onEscape} />);
  fireEvent.keyDown(document.body, { key: "Escape", keyCode: 27 });
  expect(onEscape).toHaveBeenCalledOnce();
});
