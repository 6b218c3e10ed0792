import { useEffect, useRef } from "react";
import { isComposing } from "./composing";

interface Shortcuts {
  readonly onHelp: () => void;
  readonly onEscape: () => void;
}

/** Rows of the list carry this attribute; the search field and composer carry their ids. */
export const ROW = "data-customer-row";
export const SEARCH_ID = "search";
export const COMPOSER_ID = "composer";

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]")
  );
}

/** Moves the focus to the next or previous row of the list; the browser scrolls it into view. */
function moveInList(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>(`[${ROW}]`)];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const current =
    at >= 0 ? at : rows.findIndex((row) => row.getAttribute("aria-current") === "true");
  const next = rows[current < 0 ? 0 : current + step];
  next?.focus();
}

function leaveField(field: HTMLElement): void {
  field.blur();
  document.querySelector<HTMLElement>(`[${ROW}][aria-current="true"]`)?.focus();
}

/** The inbox's keys; none of them acts while somebody types, but Escape. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (
        event.defaultPrevented ||
        isComposing(event) ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey
      )
        return;
      if (document.querySelector("dialog[open]")) return;
      if (event.key === "Escape") {
        if (isTyping(event.target)) leaveField(event.target as HTMLElement);
        else latest.current.onEscape();
        return;
      }
      if (isTyping(event.target)) return;
      const act = {
        "/": () => document.getElementById(SEARCH_ID)?.focus(),
        j: () => moveInList(1),
        k: () => moveInList(-1),
        "?": () => latest.current.onHelp(),
      }[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
