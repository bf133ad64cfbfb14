// What the console knows of sessions, as queries; events write into the same cache
// (session-events.ts). Used by the features pairing and sessions alike.
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { request, requestBytes } from "./api-client";
import type {
  CommandAnswer,
  Evidence,
  HistoryEntry,
  HistoryPage,
  SessionStatus,
  SessionsPage,
} from "./api-types";
import { confirmDone } from "./confirmation";
import { texts } from "./texts";

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
    // No event tells of a place in the line.
    refetchInterval: ({ state }) => (poll || mayBeWaiting(state.data) ? POLL_EVERY_MS : false),
  });

function mayBeWaiting(session: SessionStatus | undefined): boolean {
  return Boolean(session?.queue) || (session?.status === "CONNECTING" && session.reason !== "loading");
}

export const sessionsQuery = (poll: boolean) =>
  queryOptions({
    queryKey: sessionKeys.list,
    queryFn: ({ signal }) => request<SessionsPage>("GET", "/whatsapp/sessions", { signal }),
    refetchInterval: poll ? POLL_EVERY_MS * 2 : false,
  });

/** Newer entries than these are of interest: older ones are let go. */
const KEPT_ENTRIES = 2_000;

/**
 * The history of a session, oldest first as the host gives it. Only what came since the
 * last look is fetched. `createdAt` keeps it apart from an earlier session of the name.
 */
export const historyQuery = (name: string, createdAt: string) =>
  queryOptions({
    queryKey: [...sessionKeys.history(name), createdAt],
    queryFn: async ({ client, queryKey, signal }) => {
      let entries = client.getQueryData<HistoryEntry[]>(queryKey) ?? [];
      let after = entries.at(-1)?.id ?? null;
      do {
        const query = new URLSearchParams({ limit: "500", ...(after && { after }) });
        const path = `/whatsapp/sessions/${at(name)}/history?${query}`;
        const page = await request<HistoryPage>("GET", path, { signal });
        entries = [...entries, ...page.history].slice(-KEPT_ENTRIES);
        after = page.next;
      } while (after !== null);
      return entries;
    },
  });

/** What was seen at a line of the history. It never changes. */
export const evidenceQuery = (name: string, id: string) =>
  queryOptions({
    queryKey: ["evidence", name, id],
    queryFn: ({ signal }) => request<Evidence>("GET", evidencePath(name, id), { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Its picture, as a data URL: the content security policy allows no other. */
export const screenshotQuery = (name: string, id: string) =>
  queryOptions({
    queryKey: ["evidence", name, id, "screenshot"],
    queryFn: async ({ signal }) => {
      const picture = await requestBytes(`${evidencePath(name, id)}/screenshot`, { signal });
      return `data:image/png;base64,${btoa(Array.from(picture, (byte) => String.fromCharCode(byte)).join(""))}`;
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

const evidencePath = (name: string, id: string) =>
  `/whatsapp/sessions/${at(name)}/history/${encodeURIComponent(id)}/evidence`;

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
    onSuccess: (_answer, { kind }) => {
      if (kind !== "init" && kind !== "refresh-qr") confirmDone(texts.sessions.done[kind](name));
    },
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: sessionKeys.list }),
        client.invalidateQueries({ queryKey: sessionKeys.status(name) }),
      ]),
  });
}
