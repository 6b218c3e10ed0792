import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { ApiError } from "@/api/client";
import { markRead } from "@/api/customers";
import type { Message } from "@/api/types";

const PAUSE_MS = 250;
const RETRY_MS = 3_000;

/** Marks the chat read up to the newest message that was shown, while somebody looks. */
export function useMarkRead(
  customerId: number,
  messages: readonly Message[],
  shownUpTo: number,
): void {
  const isLookedAt = useIsLookedAt();
  const told = useRef(0);
  const [failures, setFailures] = useState(0);
  const unread = messages.findLast(
    (message) => message.direction === "inbound" && message.ack < 3 && message.id <= shownUpTo,
  )?.id;
  useEffect(() => {
    if (unread === undefined || !isLookedAt || unread <= told.current) return;
    const pause = failures === 0 ? PAUSE_MS : RETRY_MS;
    const timer = setTimeout(() => {
      told.current = unread;
      markRead(customerId, unread).then(
        () => setFailures(0),
        (error) => {
          told.current = 0;
          // The server is away: told again, or the chat stayed unread while one looks at it.
          const isGone = error instanceof ApiError && error.status === 404;
          if (!isGone) setFailures((count) => count + 1);
        },
      );
    }, pause);
    return () => clearTimeout(timer);
  }, [unread, isLookedAt, customerId, failures]);
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
