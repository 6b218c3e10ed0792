import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ThemeChoice } from "./Appearance";

const SCRIPT = readFileSync(resolve("public/theme.js"), "utf8");

const root = document.documentElement;
const radio = (name: string) => screen.getByRole<HTMLInputElement>("radio", { name });
const choose = async (name: string) => {
  render(<ThemeChoice />);
  await userEvent.click(radio(name));
};

/** What a browser does: a bare document, the script in its head, then the page. */
function reload(): void {
  cleanup();
  delete root.dataset.theme;
  new Function(SCRIPT)();
}

beforeEach(() => {
  localStorage.clear();
  delete root.dataset.theme;
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it("follows the system until somebody chooses", () => {
  reload();
  render(<ThemeChoice />);
  expect(root.dataset.theme).toBeUndefined();
  expect(radio("As the system").checked).toBe(true);
});

it.each([
  ["Dark", "dark"],
  ["Light", "light"],
])("%s is there at once, and before the page is drawn after a reload", async (name, theme) => {
  await choose(name);
  expect(root.dataset.theme).toBe(theme);
  reload();
  expect(root.dataset.theme).toBe(theme);
  render(<ThemeChoice />);
  expect(radio(name).checked).toBe(true);
});

it("leaves it to the system again, also after a reload", async () => {
  await choose("Dark");
  await act(() => userEvent.click(radio("As the system")));
  expect(root.dataset.theme).toBeUndefined();
  reload();
  expect(root.dataset.theme).toBeUndefined();
});

it.each(['"pink"', "{", "null"])("is the system's where %s is stored", (text) => {
  localStorage.setItem("crm.theme", text);
  reload();
  render(<ThemeChoice />);
  expect(root.dataset.theme).toBeUndefined();
  expect(radio("As the system").checked).toBe(true);
});

it("is the system's where storage is forbidden", () => {
  vi.stubGlobal("localStorage", {
    getItem: () => {
      throw new DOMException("forbidden", "SecurityError");
    },
  });
  reload();
  expect(root.dataset.theme).toBeUndefined();
});
