import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { request } from "@/lib/api-client";
import type { TicketAnswer } from "@/lib/api-types";
import { EventStream, type StreamState } from "@/lib/event-stream";
import { noteServerTime } from "@/lib/server-clock";
import { applyEvent } from "@/lib/session-events";
import { SocketState } from "@/lib/socket-state";

/** One socket for the whole console, for as long as somebody is signed in. */
export function EventStreamProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [state, setState] = useState<StreamState>("connecting");
  useEffect(() => {
    const url = new URL("/ws", window.location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const stream = new EventStream({
      url: url.href,
      ticket: () => request<TicketAnswer>("POST", "/auth/ws-ticket"),
      onEvent: (event) => applyEvent(client, event),
      onGap: () => void client.invalidateQueries(),
      onState: setState,
      onServerTime: noteServerTime,
    });
    stream.start();
    return () => stream.stop();
  }, [client]);
  return <SocketState value={state}>{children}</SocketState>;
}
