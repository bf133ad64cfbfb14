import type { HistoryEntry, LoginAnswer, SessionStatus } from "@/lib/api-types";

export const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

export const soon = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

export const login = (): LoginAnswer => ({
  accessToken: "a.b.c",
  expiresAt: soon(300),
  user: { username: "maria" },
});

export const account = { phoneNumber: "5511987654321", name: "Maria Oliveira" };

export function session(change: Partial<SessionStatus> = {}): SessionStatus {
  return {
    sessionName: "pairing-console",
    status: "DISCONNECTED",
    qrCode: null,
    pairingCode: null,
    reason: null,
    detail: null,
    account: null,
    qrExpiresAt: null,
    pairingCodeExpiresAt: null,
    sequence: 0,
    serverTime: soon(0),
    createdAt: "2026-09-01T08:00:00.000Z",
    updatedAt: "2026-09-01T08:00:00.000Z",
    expectedPhoneNumber: null,
    linked: false,
    queue: null,
    ...change,
  };
}

/** As the host answers for a name that was never used. */
export const notStarted = (sessionName = "pairing-console") =>
  session({ sessionName, reason: "not_started", createdAt: null, updatedAt: null });

export const qrReady = (change: Partial<SessionStatus> = {}) =>
  session({ status: "QR_READY", qrCode: PIXEL, qrExpiresAt: soon(45), sequence: 1, ...change });

export const codeShown = (change: Partial<SessionStatus> = {}) =>
  session({ status: "QR_READY", pairingCode: "K7QM2XPD", pairingCodeExpiresAt: soon(120), ...change });

export const connected = (change: Partial<SessionStatus> = {}) =>
  session({ status: "CONNECTED", account, linked: true, ...change });

export const entry = (id: number, change: Partial<HistoryEntry> = {}): HistoryEntry => ({
  id: String(id),
  at: new Date(Date.UTC(2026, 8, 1, 8, id)).toISOString(),
  status: "CONNECTING",
  reason: "starting",
  detail: null,
  cause: "command:init",
  hasEvidence: false,
  ...change,
});
