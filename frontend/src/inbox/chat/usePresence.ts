import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { keys } from "@/api/keys";
import { showPresence } from "@/api/messages";
import { usePresences } from "@/api/queries";
import { useSession } from "@/api/session";
import type { Present } from "@/api/types";
import { newKey } from "@/outbox/entries";
import { parseTime } from "@/time";
import { useNow } from "@/ui/useNow";

const RENEW_MS = 20_000;
const TYPING_RENEW_MS = 4_000;
const LOOK_MS = 2_000;

/** This page, among those of one agent. */
const CLIENT_ID = newKey();

interface Presence {
  /** The others who have this chat open. */
  readonly others: readonly Present[];
  /** Say whether something is being written. */
  readonly onDraft: (isWritten: boolean) => void;
}

/** Shows to the others that this chat is looked at, and who of them looks at it. */
export function usePresence(customerId: number): Presence {
  const client = useQueryClient();
  const session = useSession().data;
  const now = useNow(LOOK_MS);
  const presences = usePresences(customerId);
  // The moments are the server's: what counts is how long ago it told them.
  const moment =
    (presences.data ? parseTime(presences.data.at).getTime() : 0) + age(presences, now);
  const typedAt = useRef(0);
  const tell = useCallback(
    (state: "viewing" | "typing" | "away") => {
      showPresence(customerId, CLIENT_ID, state)
        .then((all) => client.setQueryData(keys.presence(customerId), all))
        .catch(() => {}); // a courtesy: what matters is checked when a message is sent
    },
    [client, customerId],
  );
  useEffect(() => {
    const look = () => tell(document.visibilityState === "visible" ? "viewing" : "away");
    look();
    const timer = setInterval(
      () => document.visibilityState === "visible" && tell("viewing"),
      RENEW_MS,
    );
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
      tell("away");
    };
  }, [tell]);
  const onDraft = useCallback(
    (isWritten: boolean) => {
      const isKnown = isWritten
        ? Date.now() - typedAt.current < TYPING_RENEW_MS
        : typedAt.current === 0;
      if (isKnown) return;
      typedAt.current = isWritten ? Date.now() : 0;
      tell(isWritten ? "typing" : "viewing");
    },
    [tell],
  );
  const me = session?.kind === "agent" ? session.me.id : null;
  const others = presentAt(presences.data?.present ?? [], moment).filter((each) =>
    isOther(each, me),
  );
  return { others, onDraft };
}

function age({ dataUpdatedAt }: { dataUpdatedAt: number }, now: Date): number {
  return Math.max(0, now.getTime() - dataUpdatedAt);
}

/** Those who are still there at a moment of the server's clock; who stopped typing only looks. */
export function presentAt(present: readonly Present[], moment: number): Present[] {
  return present
    .filter((each) => parseTime(each.expires_at).getTime() > moment)
    .map((each) => {
      const types = each.typing_until !== null && parseTime(each.typing_until).getTime() > moment;
      return { ...each, state: types ? "typing" : "viewing" };
    });
}

function isOther(each: Present, me: number | null): boolean {
  return each.client_id !== CLIENT_ID && (me === null || each.agent.id !== me);
}
