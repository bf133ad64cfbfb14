// The host's types under the names the console uses. When the OpenAPI file calls
// one differently, this is the only place to change.
import type { components } from "./api-schema";

type Schemas = components["schemas"];

export type Status = "DISCONNECTED" | "CONNECTING" | "QR_READY" | "AUTHENTICATED" | "CONNECTED";
export type SessionStatus = Schemas["SessionStatusBody"];
export type Account = NonNullable<SessionStatus["account"]>;
export type Detail = NonNullable<SessionStatus["detail"]>;
export type SessionsPage = Schemas["SessionsBody"];
export type HistoryEntry = Schemas["HistoryEntry"];
export type HistoryPage = Schemas["HistoryBody"];
export type CommandAnswer = Schemas["CommandAnswer"];
export type PairAnswer = Schemas["PairAnswer"];
export type LoginAnswer = Schemas["LoginAnswer"];
export type SetupAnswer = Schemas["SetupAnswer"];
export type TicketAnswer = Schemas["TicketAnswer"];
export type ProblemBody = Schemas["ProblemBody"];

/** An event of the journal, or a live secret (then `id` is null). Not part of the OpenAPI file. */
export type PairingEvent = {
  id: string | null;
  sessionName: string;
  at: string;
  type: string;
  data: Record<string, unknown>;
};
