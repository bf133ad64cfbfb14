import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { request } from "@/lib/api-client";
import type { TicketAnswer } from "@/lib/api-types";
import { EventStream, type StreamState } from "@/lib/event-stream";
import { noteServerTime } from "@/lib/server-clock";
import { applyEvent } from "@/lib/session-events";
import { SocketState } from "@/lib/socket-state";
import { Watching } from "@/lib/watching";

/** One socket for the whole console, for as long as somebody is signed in. */
export function EventStreamProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<StreamState>("connecting");
  const stream = useRef<EventStream | null>(null);
  const watched = useRef<string[]>([]);
  // Pages say it before the stream is there: their effects run first.
  const watch = useCallback((sessions: string[]) => {
    watched.current = sessions;
    stream.current?.watch(sessions);
  }, []);
  useEffect(() => {
    const url = new URL("/ws", window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const opened = new EventStream({
      url: url.href,
      ticket: () => request<TicketAnswer>("POST", "/auth/ws-ticket"),
      onEvent: (event) => applyEvent(client, event),
      onGap: () => void client.invalidateQueries(),
      onState: setState,
      onServerTime: noteServerTime,
    });
    stream.current = opened;
    opened.watch(watched.current);
    opened.start();
    return () => opened.stop();
  }, [client]);
  return (
    <Watching value={watch}>
      <SocketState value={state}>{children}</SocketState>
    </Watching>
  );
}
