import { createContext, useContext } from "react";
import type { StreamState } from "./event-stream";

export const SocketState = createContext<StreamState>("connecting");

export function useSocketState(): StreamState {
  return useContext(SocketState);
}

/** Polling stands in for the socket while that is down, and only then. */
export function useMustPoll(): boolean {
  const state = useSocketState();
  return state === "reconnecting" || state === "offline";
}
