import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { addressOf } from "@/api/address";
import { keys } from "@/api/keys";
import type { LiveEvent } from "@/api/types";
import { applyEvent } from "./apply";
import { RecentEvents } from "./recent";
import { SharedStream } from "./shared";
import type { StreamState } from "./stream";

type Listener = (event: LiveEvent) => void;

interface Live {
  readonly state: StreamState;
  /** Opens the stream, from the event id at which the first list was true. */
  readonly begin: (at: number | null) => void;
  readonly recent: RecentEvents;
  /** Calls back for each event of this tab; returns how to stop. */
  readonly listen: (listener: Listener) => () => void;
}

const LiveContext = createContext<Live | null>(null);

/** Holds the browser's event stream, and keeps what was fetched up to date with it. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const stream = useRef<SharedStream | null>(null);
  const recent = useRef(new RecentEvents()).current;
  const listeners = useRef(new Set<Listener>()).current;
  const [state, setState] = useState<StreamState>("connecting");

  const begin = useCallback(
    (at: number | null) => {
      stream.current ??= new SharedStream(addressOf("/messages/events/stream"), at, {
        onEvent: (id, data) => {
          const event = JSON.parse(data) as LiveEvent;
          if (id) recent.add(id, event);
          applyEvent(client, { id, event });
          for (const listener of listeners) listener(event);
        },
        onState: setState,
        onRefused: () => void client.invalidateQueries({ queryKey: keys.session }),
        onGap: () => void client.invalidateQueries(),
      });
    },
    [client, recent, listeners],
  );
  useEffect(
    () => () => {
      stream.current?.close();
      stream.current = null;
    },
    [],
  );
  const listen = useCallback(
    (listener: Listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [listeners],
  );
  const live = useMemo(() => ({ state, begin, recent, listen }), [state, begin, recent, listen]);
  return <LiveContext.Provider value={live}>{children}</LiveContext.Provider>;
}

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error("There is no LiveProvider around this.");
  return live;
}
