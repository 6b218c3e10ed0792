import { useSyncExternalStore } from "react";

const never = () => () => {};

/** False while the page is prerendered and hydrated, true in the browser from then on. */
export function useIsMounted(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
