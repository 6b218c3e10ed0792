import { makeStored, useStored } from "./stored";

export type Theme = "system" | "light" | "dark";
export type Language = "en" | "zh";

function oneOf(...values: readonly unknown[]) {
  return (value: unknown) => values.includes(value);
}

/** The same key as in `public/theme.js`, which applies it before the first paint. */
export const theme = makeStored<Theme>("crm.theme", "system", oneOf("system", "light", "dark"));
/** null: as the browser says. */
export const language = makeStored<Language | null>("crm.language", null, oneOf(null, "en", "zh"));
/** Desktop notifications. */
export const notify = makeStored<boolean>("crm.notify", false, oneOf(true, false));
/** The number of unread chats in the page's title. */
export const badge = makeStored<boolean>("crm.badge", false, oneOf(true, false));
export type Order = "newest" | "unread";
export const order = makeStored<Order>("crm.order", "newest", oneOf("newest", "unread"));

export const useTheme = () => useStored(theme, "system");
export const useOrder = () => useStored(order, "newest");
export const useNotify = () => useStored(notify, false);
export const useBadge = () => useStored(badge, false);

/** Chooses light, dark, or what the system has. */
export function chooseTheme(choice: Theme): void {
  theme.set(choice);
  if (choice === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}
