import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { holderOf, useSession } from "@/api/session";
import { useLive } from "@/live/LiveProvider";
import { useStored } from "@/state/stored";
import type { Entry } from "./entries";
import { NO_ENTRIES, Outbox } from "./outbox";

const OutboxContext = createContext<Outbox | null>(null);

/** Holds the outbox of whoever is signed in. */
export function OutboxProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const holder = holderOf(useSession().data);
  const [outbox, setOutbox] = useState<Outbox | null>(null);
  useEffect(() => {
    if (holder === null) return;
    const made = new Outbox(holder, client);
    setOutbox(made);
    return made.start();
  }, [holder, client]);
  const { listen } = useLive();
  useEffect(
    () =>
      listen((event) => {
        if (event.type === "customer_deleted") outbox?.erase(event.customer_id);
      }),
    [listen, outbox],
  );
  // Nobody sees another's, not even for a moment.
  const own = outbox?.holder === holder ? outbox : null;
  return <OutboxContext.Provider value={own}>{children}</OutboxContext.Provider>;
}

/** The outbox; null until it is known who uses this page. */
export function useOutbox(): Outbox | null {
  return useContext(OutboxContext);
}

/** What is on its way to the server. */
export function useEntries(): readonly Entry[] {
  return useStored(useOutbox()?.entries ?? null, NO_ENTRIES);
}
