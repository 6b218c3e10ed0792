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
import { onUnreachable } from "@/api/client";
import { keys } from "@/api/keys";
import { useSession } from "@/api/session";
import type { LiveEvent } from "@/api/types";
import { LiveCache } from "./cache";
import { SharedStream } from "./shared";
import type { StreamState } from "./stream";

type Listener = (event: LiveEvent) => void;

interface Live {
  readonly state: StreamState;
  /** Opens the stream, from the event id at which the first list was true. */
  readonly begin: (at: number | null) => void;
  /** Calls back for each event of this tab; returns how to stop. */
  readonly listen: (listener: Listener) => () => void;
}

const LiveContext = createContext<Live | null>(null);

/** Holds the browser's event stream, and keeps what was fetched up to date with it. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const cache = useMemo(() => new LiveCache(client), [client]);
  const stream = useRef<SharedStream | null>(null);
  const listeners = useRef(new Set<Listener>()).current;
  const [state, setState] = useState<StreamState>("connecting");

  const begin = useCallback(
    (at: number | null) => {
      stream.current ??= new SharedStream(addressOf("/messages/events/stream"), at, {
        onEvent: (id, data) => {
          const event = JSON.parse(data) as LiveEvent;
          cache.take(id, event);
          for (const listener of listeners) listener(event);
        },
        onState: setState,
        onRefused: () => void client.invalidateQueries({ queryKey: keys.session }),
        onGap: () => cache.forget(),
      });
    },
    [client, cache, listeners],
  );
  useEffect(() => cache.watch(), [cache]);
  useEffect(() => onUnreachable(() => stream.current?.doubt()), []);
  useSignedIn(() => {
    stream.current?.reopen();
    cache.retry();
  });
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
  const live = useMemo(() => ({ state, begin, listen }), [state, begin, listen]);
  return <LiveContext.Provider value={live}>{children}</LiveContext.Provider>;
}

/** Calls back when a stranger has become an agent. */
function useSignedIn(onSignedIn: () => void): void {
  const kind = useSession().data?.kind;
  const before = useRef(kind);
  useEffect(() => {
    const isSignedIn = before.current === "stranger" && kind === "agent";
    before.current = kind;
    if (isSignedIn) onSignedIn();
  });
}

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error("There is no LiveProvider around this.");
  return live;
}
