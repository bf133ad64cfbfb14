// Writes events into the query cache: what came by the socket is as good as fetched.
import type { QueryClient } from "@tanstack/react-query";
import { noteAlert } from "./alerts";
import type { Account, Detail, PairingEvent, SessionStatus, SessionsPage, Status } from "./api-types";
import { sessionKeys } from "./session-queries";

const NO_CODE = { qrCode: null, qrExpiresAt: null, pairingCode: null, pairingCodeExpiresAt: null };

/** What an event changes in the status of its session, or null where it changes nothing. */
export function changeBy(event: PairingEvent): Partial<SessionStatus> | null {
  const data = event.data;
  switch (event.type) {
    case "status-update": {
      const status = data.status as Status;
      const account = (data.account as Account | null) ?? null;
      return {
        status,
        reason: (data.reason as string | null) ?? null,
        detail: (data.detail as Detail | null) ?? null,
        account,
        updatedAt: event.at,
        ...linkedBy(status, account),
        ...(status === "QR_READY" ? {} : NO_CODE),
      };
    }
    // A code sent alone says that it can be used, whatever was last heard of the status. In
    // the journal an entry says that a code was made, without the code: that changes nothing.
    case "qr-code":
      return data.qrCode
        ? {
            ...NO_CODE,
            status: "QR_READY",
            qrCode: data.qrCode as string,
            qrExpiresAt: data.expiresAt as string,
            sequence: data.sequence as number,
          }
        : null;
    case "pairing-code":
      return data.pairingCode
        ? {
            ...NO_CODE,
            status: "QR_READY",
            pairingCode: data.pairingCode as string,
            pairingCodeExpiresAt: data.expiresAt as string,
          }
        : null;
    case "loading":
      return { detail: { percent: data.percent as number } };
    case "session-connected":
      return { status: "CONNECTED", account: data.account as Account, linked: true, ...NO_CODE };
    // Where the session went is told by a status-update: it may be reconnecting already.
    case "session-disconnected":
      return NO_CODE;
    default:
      return null;
  }
}

/** Events don't say it, but most states leave no doubt; the others change nothing. */
function linkedBy(status: Status, account: Account | null): Partial<SessionStatus> {
  if (account) return { linked: true };
  return status === "DISCONNECTED" || status === "QR_READY" ? { linked: false } : {};
}

export function applyEvent(client: QueryClient, event: PairingEvent) {
  if (event.type === "alert") {
    noteAlert(event);
    // It may be about the page.
    void client.invalidateQueries({ queryKey: ["page-hooks"] });
    return;
  }
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
  if (!change) return;
  const key = sessionKeys.status(name);
  const fetching = client.isFetching({ queryKey: key }) > 0;
  const known = client.getQueryData<SessionStatus>(key);
  client.setQueryData<SessionStatus>(key, (status) => status && { ...status, ...change });
  // An answer under way may be older than this event, and what a session gets at its
  // birth is told by no event: then it is asked for anew.
  if (fetching || (known && !known.createdAt)) void client.invalidateQueries({ queryKey: key });
  changeInList(client, name, change);
  if (event.type === "status-update") void client.invalidateQueries({ queryKey: sessionKeys.history(name) });
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
