import { useSyncExternalStore } from "react";

/** A value that survives a reload and is the same in all tabs. */
export interface Stored<T> {
  readonly get: () => T;
  readonly set: (value: T) => void;
  readonly subscribe: (listener: () => void) => () => void;
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
  let value: T | undefined;
  const listeners = new Set<() => void>();
  const tellAll = () => {
    for (const listener of listeners) listener();
  };
  const onStorage = (event: StorageEvent) => {
    if (event.key !== key && event.key !== null) return;
    value = undefined;
    tellAll();
  };
  const get = (): T => {
    value ??= read<T>(key, initial, isValid);
    return value;
  };
  return {
    get,
    set: (next) => {
      value = next;
      write(key, next, initial);
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

function read<T>(key: string, initial: T, isValid: (value: unknown) => boolean): T {
  try {
    const text = localStorage.getItem(key);
    const value: unknown = text === null ? initial : JSON.parse(text);
    return isValid(value) ? (value as T) : initial;
  } catch {
    return initial;
  }
}

function write<T>(key: string, value: T, initial: T): void {
  try {
    if (value === initial || value === "") localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: the value in memory goes on.
  }
}

/** The value, and a rendering whenever it changes, here or in another tab. */
export function useStored<T>(stored: Stored<T> | null, initial: T): T {
  return useSyncExternalStore(
    stored?.subscribe ?? NOTHING,
    () => stored?.get() ?? initial,
    () => initial,
  );
}
