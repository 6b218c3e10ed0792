import { useSyncExternalStore } from "react";

/** A value that tells when it changes. */
export interface Readable<T> {
  readonly get: () => T;
  readonly subscribe: (listener: () => void) => () => void;
}

/** A value that survives a reload and is the same in all tabs. */
export interface Stored<T> extends Readable<T> {
  readonly set: (value: T) => void;
}

const NOTHING = () => () => {};

/**
 * Keeps a value in the browser's storage. What does not fit, or may not be stored, is kept in
 * memory for as long as the page is open.
 */
export function makeStored<T>(
  key: string,
  initial: T,
  isValid: (value: unknown) => boolean,
): Stored<T> {
  /** What storage did not take: then memory is the truth. */
  let unstored: { readonly value: T } | null = null;
  /** What was read last: the same text is the same object, as rendering wants it. */
  let known: { readonly text: string | null; readonly value: T } = { text: null, value: initial };
  const listeners = new Set<() => void>();
  const tellAll = () => {
    for (const listener of listeners) listener();
  };
  const onStorage = (event: StorageEvent) => {
    if (event.key !== key && event.key !== null) return;
    unstored = null;
    tellAll();
  };
  return {
    get: () => {
      if (unstored) return unstored.value;
      // Always read anew: while nobody listened another tab may have written.
      const text = readText(key);
      if (text !== known.text) known = { text, value: parse(text, initial, isValid) };
      return known.value;
    },
    set: (next) => {
      const text = next === initial || next === "" ? null : JSON.stringify(next);
      const isStored = writeText(key, text);
      if (isStored) known = { text, value: next };
      unstored = isStored ? null : { value: next };
      tellAll();
    },
    subscribe: (listener) => {
      if (listeners.size === 0) window.addEventListener("storage", onStorage);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) window.removeEventListener("storage", onStorage);
      };
    },
  };
}

/** The text at a key; null where there is none, or where storage may not be read. */
export function readText(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Puts a text at a key, or takes it away; returns whether storage took it. */
export function writeText(key: string, text: string | null): boolean {
  try {
    if (text === null) localStorage.removeItem(key);
    else localStorage.setItem(key, text);
    return true;
  } catch {
    return false; // full or forbidden
  }
}

function parse<T>(text: string | null, initial: T, isValid: (value: unknown) => boolean): T {
  if (text === null) return initial;
  try {
    const value: unknown = JSON.parse(text);
    return isValid(value) ? (value as T) : initial;
  } catch {
    return initial;
  }
}

/** The value, and a rendering whenever it changes, here or in another tab. */
export function useStored<T>(stored: Readable<T> | null, initial: T): T {
  return useSyncExternalStore(
    stored?.subscribe ?? NOTHING,
    () => stored?.get() ?? initial,
    () => initial,
  );
}
