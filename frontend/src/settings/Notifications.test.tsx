import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { badge, notify } from "@/state/settings";
import { Notifications } from "./Notifications";

const request = vi.fn(async () => "granted");

function show(permission: NotificationPermission, answer: NotificationPermission = permission) {
  request.mockReset().mockResolvedValue(answer);
  vi.stubGlobal("Notification", { permission, requestPermission: request });
  render(<Notifications />);
}

const toggle = (name: string) => screen.getByRole<HTMLInputElement>("checkbox", { name });
const both = () => [toggle("Desktop notifications"), toggle("Unread chats in the title")];

beforeEach(() => localStorage.clear());
afterEach(() => {
  cleanup();
  notify.set(false);
  badge.set(false);
  vi.unstubAllGlobals();
});

it("has both off, and asks the browser for nothing, until somebody turns one on", () => {
  show("granted");
  expect(both().map(({ checked }) => checked)).toEqual([false, false]);
  expect([notify.get(), badge.get()]).toEqual([false, false]);
  expect(request).not.toHaveBeenCalled();
});

it("turns notifications on with the browser's leave, for all of this browser", async () => {
  show("default", "granted");
  await userEvent.click(toggle("Desktop notifications"));
  await vi.waitFor(() => expect(toggle("Desktop notifications").checked).toBe(true));
  expect(request).toHaveBeenCalledOnce();
  expect(localStorage.getItem("crm.notify")).toBe("true");
  expect(badge.get()).toBe(false);
});

it("stays off where the browser refuses, and says so", async () => {
  show("default", "denied");
  await userEvent.click(toggle("Desktop notifications"));
  await screen.findByText("This browser does not allow notifications for this page.");
  expect(toggle("Desktop notifications").checked).toBe(false);
  expect(notify.get()).toBe(false);
});

it("turns the number in the title on alone", async () => {
  show("default");
  await userEvent.click(toggle("Unread chats in the title"));
  expect(both().map(({ checked }) => checked)).toEqual([false, true]);
  expect(request).not.toHaveBeenCalled();
});
