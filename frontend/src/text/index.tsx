import { createContext, type ReactNode, useContext, useEffect, useMemo } from "react";
import { type Language, language } from "@/state/settings";
import { useStored } from "@/state/stored";
import { en, type TextKey, type Texts } from "./en";
import { zh } from "./zh";

const TEXTS: Record<Language, Texts> = { en, zh };
const LOCALES: Record<Language, string> = { en: "en-GB", zh: "zh-CN" };

export type Fill = Record<string, string | number>;

export interface Wording {
  readonly language: Language;
  /** For dates and numbers: the browser's own, where it speaks the chosen language. */
  readonly locale: string;
  readonly t: (key: TextKey, fill?: Fill) => string;
}

/** A text with its places filled in; a count of one takes the `_one` form, where there is one. */
export function fillIn(texts: Texts, key: TextKey, fill: Fill = {}): string {
  const single = `${key}_one`;
  const text = fill.count === 1 && single in texts ? texts[single as TextKey] : texts[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(fill[name] ?? whole));
}

/** The language that the browser asks for, of those we have. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    if (tag.toLowerCase().startsWith("zh")) return "zh";
    if (tag.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

function wordingIn(chosen: Language): Wording {
  const own = typeof navigator === "undefined" ? [] : navigator.languages;
  const locale = own.find((tag) => tag.toLowerCase().startsWith(chosen)) ?? LOCALES[chosen];
  return { language: chosen, locale, t: (key, fill) => fillIn(TEXTS[chosen], key, fill) };
}

const WordingContext = createContext<Wording>(wordingIn("en"));

export function WordingProvider({ children }: { children: ReactNode }) {
  const chosen = useLanguage();
  const wording = useMemo(() => wordingIn(chosen), [chosen]);
  useEffect(() => {
    document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  }, [chosen]);
  return <WordingContext.Provider value={wording}>{children}</WordingContext.Provider>;
}

/** The language in use: chosen, else the browser's. */
export function useLanguage(): Language {
  const chosen = useStored(language, null);
  const browsers = typeof navigator === "undefined" ? "en" : preferredLanguage(navigator.languages);
  return chosen ?? browsers;
}

/** The page's words in the language in use. */
export function useText(): Wording {
  return useContext(WordingContext);
}
