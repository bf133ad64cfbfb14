// Writes events into the query cache: what came by the socket is as good as fetched.
import type { QueryClient } from "@tanstack/react-query";
import type { Account, Detail, PairingEvent, SessionStatus, SessionsPage, Status } from "./api-types";
import { noteServerTime } from "./server-clock";
import { sessionKeys } from "./session-queries";

const NO_SECRETS = { qrCode: null, qrExpiresAt: null, pairingCode: null, pairingCodeExpiresAt: null };

/** What an event changes in the status of its session, or null where it changes nothing. */
export function changeBy(event: PairingEvent): Partial<SessionStatus> | null {
  const data = event.data;
  switch (event.type) {
    case "status-update":
      return {
        status: data.status as Status,
        reason: (data.reason as string | null) ?? null,
        detail: (data.detail as Detail | null) ?? null,
        account: (data.account as Account | null) ?? null,
        updatedAt: event.at,
        ...(data.status === "QR_READY" ? {} : NO_SECRETS),
      };
    // A code sent alone says that it can be used, whatever was last heard of the status.
    case "qr-code":
      return {
        ...NO_SECRETS,
        status: "QR_READY",
        qrCode: data.qrCode as string,
        qrExpiresAt: data.expiresAt as string,
        sequence: data.sequence as number,
      };
    case "pairing-code":
      return {
        ...NO_SECRETS,
        status: "QR_READY",
        pairingCode: data.pairingCode as string,
        pairingCodeExpiresAt: data.expiresAt as string,
        sequence: data.sequence as number,
      };
    case "loading":
      return { detail: { percent: data.percent as number } };
    case "session-connected":
      return { status: "CONNECTED", account: data.account as Account, ...NO_SECRETS };
    case "session-disconnected":
      return { status: "DISCONNECTED", reason: data.reason as string, ...NO_SECRETS };
    default:
      return null;
  }
}

export function applyEvent(client: QueryClient, event: PairingEvent) {
  // A journal entry read again on resume is old; only a live one tells the time.
  if (event.id === null) noteServerTime(event.at);
  const name = event.sessionName;
  if (event.type === "session-deleted") {
    client.setQueryData<SessionsPage>(
      sessionKeys.list,
      (page) => page && { sessions: page.sessions.filter((session) => session.sessionName !== name) },
    );
    void client.invalidateQueries({ queryKey: sessionKeys.status(name) });
    return;
  }
  const change = changeBy(event);
  // The journal says that a code was made, without the code itself.
  if (!change || (change.status === "QR_READY" && event.type !== "status-update" && !codeIn(change))) return;
  const key = sessionKeys.status(name);
  const fetching = client.isFetching({ queryKey: key }) > 0;
  client.setQueryData<SessionStatus>(key, (status) => status && { ...status, ...change });
  // An answer under way may be older than this event: it is asked for anew.
  if (fetching) void client.invalidateQueries({ queryKey: key });
  changeInList(client, name, change);
  if (event.type === "status-update") void client.invalidateQueries({ queryKey: sessionKeys.history(name) });
}

function codeIn(change: Partial<SessionStatus>): boolean {
  return Boolean(change.qrCode ?? change.pairingCode);
}

function changeInList(client: QueryClient, name: string, change: Partial<SessionStatus>) {
  const page = client.getQueryData<SessionsPage>(sessionKeys.list);
  if (!page) return;
  if (!page.sessions.some((session) => session.sessionName === name)) {
    void client.invalidateQueries({ queryKey: sessionKeys.list });
    return;
  }
  client.setQueryData<SessionsPage>(sessionKeys.list, {
    sessions: page.sessions.map((session) =>
      session.sessionName === name ? { ...session, ...change, qrCode: null, pairingCode: null } : session,
    ),
  });
}
