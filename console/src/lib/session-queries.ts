// What the console knows of sessions, as queries; events write into the same cache
// (session-events.ts). Used by the features pairing and sessions alike.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "./api-client";
import type { CommandAnswer, HistoryPage, SessionStatus, SessionsPage } from "./api-types";

export const DEFAULT_SESSION = "pairing-console";

/** Asked this often only while the socket is down. */
export const POLL_EVERY_MS = 4_000;

export const sessionKeys = {
  list: ["sessions"] as const,
  status: (name: string) => ["status", name] as const,
  history: (name: string) => ["history", name] as const,
};

const at = (name: string) => encodeURIComponent(name);

export const sessionStatusQuery = (name: string, poll: boolean) =>
  queryOptions({
    queryKey: sessionKeys.status(name),
    queryFn: ({ signal }) => request<SessionStatus>("GET", `/whatsapp/status/${at(name)}`, { signal }),
    refetchInterval: poll ? POLL_EVERY_MS : false,
  });

export const sessionsQuery = (poll: boolean) =>
  queryOptions({
    queryKey: sessionKeys.list,
    queryFn: ({ signal }) => request<SessionsPage>("GET", "/whatsapp/sessions", { signal }),
    refetchInterval: poll ? POLL_EVERY_MS * 2 : false,
  });

export function historyPage(name: string, after: string | null, signal: AbortSignal) {
  const query = new URLSearchParams({ limit: "20" });
  if (after) query.set("after", after);
  return request<HistoryPage>("GET", `/whatsapp/sessions/${at(name)}/history?${query}`, { signal });
}

export type SessionCommand =
  | { kind: "init"; expectedPhoneNumber?: string; confirm?: true }
  | { kind: "disconnect" | "reconnect" | "refresh-qr" }
  | { kind: "logout" | "delete" };

function carryOut(name: string, command: SessionCommand): Promise<CommandAnswer> {
  switch (command.kind) {
    case "init": {
      const { kind: _, ...options } = command;
      return request("POST", "/whatsapp/init", { body: { sessionName: name, ...options } });
    }
    case "delete":
      return request("DELETE", `/whatsapp/sessions/${at(name)}?confirm=true`);
    // The console asks the person before it logs out, so the host need not ask again.
    case "logout":
      return request("POST", `/whatsapp/sessions/${at(name)}/logout`, { body: { confirm: true } });
    default:
      return request("POST", `/whatsapp/sessions/${at(name)}/${command.kind}`, { body: {} });
  }
}

/** A command to a session; events bring what comes of it, so only a first glance is fetched. */
export function useSessionCommand(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (command: SessionCommand) => carryOut(name, command),
    onSettled: (_answer, _error, command) => {
      if (command.kind === "delete") client.removeQueries({ queryKey: sessionKeys.history(name) });
      return Promise.all([
        client.invalidateQueries({ queryKey: sessionKeys.list }),
        client.invalidateQueries({ queryKey: sessionKeys.status(name) }),
      ]);
    },
  });
}
