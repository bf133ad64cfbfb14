// The host's types under the names the console uses. When the OpenAPI file calls
// one differently, this is the only place to change.
import type { components } from "./api-schema";

type Schemas = components["schemas"];

export type SessionStatus = Schemas["SessionStatusBody"];
export type Status = SessionStatus["status"];
export type Account = Schemas["AccountBody"];
export type Detail = Schemas["DetailBody"];
export type SessionsPage = Schemas["SessionsBody"];
export type QueuePlace = Schemas["QueueBody"];
export type Evidence = Schemas["EvidenceBody"];
export type HistoryEntry = Schemas["HistoryBody"];
export type HistoryPage = Schemas["HistoryPageBody"];
export type CommandAnswer = Schemas["DoneBody"];
export type CodeAnswer = Schemas["CodeBody"];
export type LoginAnswer = Schemas["LoginBody"];
export type SetupAnswer = Schemas["SetupBody"];
export type TicketAnswer = Schemas["TicketBody"];
export type Me = Schemas["MeBody"];
export type ProblemBody = Schemas["ProblemBody"];

export type PageHooks = Schemas["PageHooksBody"];
export type PageLook = Schemas["HooksLookBody"];
export type HooksInUse = Schemas["HooksInUseBody"];

export type SlotsPage = Schemas["SlotsBody"];
export type SlotReport = Schemas["SlotBody"];
export type Slot = SlotReport["slot"];
export type SubscriptionSummary = Schemas["SubscriptionSummaryBody"];
export type Health = Schemas["HealthBody"];
export type PluginVersion = Schemas["VersionBody"];
export type VersionsPage = Schemas["VersionsBody"];
export type JudgedVersion = Schemas["JudgedVersionBody"];
export type Verdict = Schemas["VerdictBody"];
export type Activated = Schemas["ActivatedBody"];
export type ReplayReport = Schemas["ReplayReport"];
export type ReplayResult = Schemas["ReplayResult"];
export type SessionReplay = Schemas["SessionReplayBody"];
export type Difference = Schemas["DifferenceBody"];
export type PluginChange = Schemas["ChangeBody"];
export type ChangesPage = Schemas["ChangesBody"];
export type ParkedPage = Schemas["ParkedBody"];

/** An event of the journal, or a live secret (then `id` is null). Not part of the OpenAPI file. */
export type PairingEvent = {
  id: string | null;
  sessionName: string;
  at: string;
  type: string;
  data: Record<string, unknown>;
};
