// What host and sessions warn of: shown until it is over, or put away by the person.
import { useSyncExternalStore } from "react";
import type { PairingEvent } from "./api-types";

export type Alert = {
  /** One for each thing that can be wrong: a newer alert about it takes the place. */
  key: string;
  /** None: the host itself. */
  session: string | null;
  code: string;
  message: string;
  at: string;
};

/** The name under which the host itself stands in the journal. */
const HOST = "_host";
const OVER = "_over";
const MOST = 5;

let current: Alert[] = [];
const listeners = new Set<() => void>();

function become(alerts: Alert[]) {
  current = alerts;
  for (const listener of listeners) listener();
}

export function noteAlert(event: PairingEvent) {
  const text = (name: string) => String(event.data[name] ?? "");
  const code = text("code");
  const about = code.endsWith(OVER) ? code.slice(0, -OVER.length) : code;
  const key = `${event.sessionName}/${about}`;
  const others = current.filter((alert) => alert.key !== key);
  const isOver = code !== about || text("level") === "plenty";
  const session = event.sessionName === HOST ? null : event.sessionName;
  const alert = { key, session, code, message: text("message"), at: event.at };
  become(isOver ? others : [alert, ...others].slice(0, MOST));
}

export function putAway(key: string) {
  become(current.filter((alert) => alert.key !== key));
}

/** Whoever signs in next begins anew. */
export function forgetAlerts() {
  if (current.length > 0) become([]);
}

export function useAlerts(): Alert[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
