// The host's types under the names the console uses. When the OpenAPI file calls
// one differently, this is the only place to change.
import type { components } from "./api-schema";

type Schemas = components["schemas"];

export type SessionStatus = Schemas["SessionStatusBody"];
export type Status = SessionStatus["status"];
export type Account = Schemas["AccountBody"];
export type Detail = Schemas["DetailBody"];
export type SessionsPage = Schemas["SessionsBody"];
export type HistoryEntry = Schemas["HistoryBody"];
export type HistoryPage = Schemas["HistoryPageBody"];
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
