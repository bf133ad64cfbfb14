// The host's types under the names the console uses. When the OpenAPI file calls
// one differently, this is the only place to change.
import type { components } from "./api-schema";

type Schemas = components["schemas"];

export type Status = "DISCONNECTED" | "CONNECTING" | "QR_READY" | "AUTHENTICATED" | "CONNECTED";
export type SessionStatus = Omit<Schemas["SessionStatusBody"], "status"> & { status: Status };
export type Account = NonNullable<SessionStatus["account"]>;
export type Detail = NonNullable<SessionStatus["detail"]>;
export type SessionsPage = { sessions: SessionStatus[] };
export type HistoryEntry = Omit<Schemas["HistoryBody"], "status"> & { status: Status };
export type HistoryPage = { history: HistoryEntry[]; next?: string | null };
export type CommandAnswer = Schemas["DoneBody"];
export type CodeAnswer = Schemas["CodeBody"];
export type LoginAnswer = Schemas["LoginBody"];
export type SetupAnswer = Schemas["SetupBody"];
export type TicketAnswer = Schemas["TicketBody"];
export type ProblemBody = Schemas["ProblemBody"];

/** An event of the journal, or a live secret (then `id` is null). Not part of the OpenAPI file. */
export type PairingEvent = {
  id: string | null;
  sessionName: string;
  at: string;
  type: string;
  data: Record<string, unknown>;
};
