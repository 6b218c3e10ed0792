import { useEffect, useRef, useSyncExternalStore } from "react";
import { markRead } from "@/api/customers";
import type { Message } from "@/api/types";

const PAUSE_MS = 250;

/** Marks the chat read up to the newest message that was shown, while somebody looks. */
export function useMarkRead(
  customerId: number,
  messages: readonly Message[],
  shownUpTo: number,
): void {
  const isLookedAt = useIsLookedAt();
  const told = useRef(0);
  const unread = messages.findLast(
    (message) => message.direction === "inbound" && message.ack < 3 && message.id <= shownUpTo,
  )?.id;
  useEffect(() => {
    if (unread === undefined || !isLookedAt || unread <= told.current) return;
    const timer = setTimeout(() => {
      told.current = unread;
      markRead(customerId, unread).catch(() => {
        told.current = 0; // it is said again at the next look
      });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [unread, isLookedAt, customerId]);
}

function subscribe(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  window.addEventListener("focus", listener);
  window.addEventListener("blur", listener);
  return () => {
    document.removeEventListener("visibilitychange", listener);
    window.removeEventListener("focus", listener);
    window.removeEventListener("blur", listener);
  };
}

function useIsLookedAt(): boolean {
  return useSyncExternalStore(subscribe, () => document.visibilityState === "visible");
}
