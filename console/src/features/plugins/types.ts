// The host's words for plugins, by hand until openapi.json has them.
export type Slot = "workflow" | "qr-renderer" | "fan-out";
export type Breaker = "closed" | "open" | "half-open" | "quarantined";

export type Health = {
  breaker: Breaker;
  calls: number;
  errors: number;
  errorsByKind: Record<string, number>;
  p99Ms: number | null;
  lastError: string | null;
};

export type Canary = { digest: string; name: string; version: string; share: number; health: Health };

export type SlotReport = {
  slot: Slot;
  digest: string;
  name: string;
  version: string;
  source: string;
  generation: number;
  pinnedSessions: number;
  health: Health;
  canary: Canary | null;
};

export type PluginVersion = {
  digest: string;
  name: string;
  version: string;
  size: number;
  source: string;
  signedBy: string | null;
  acceptedBy: string | null;
  createdAt: string;
  createdBy: string;
  interface: string;
  imports: string[];
  initialMemory: number;
  writesSchema: number | null;
  readsSchemas: number[];
  fuel: { vector: string; fuel: number }[];
  isActive: boolean;
  isCanary: boolean;
};

export type Verdict = { gate: string; passed: boolean; message: string; at: string };
export type JudgedVersion = PluginVersion & { verdicts: Verdict[] };

export type ReplayResult = "identical" | "differs" | "state-rejected" | "trapped" | "over-budget";
export type Difference = { path: string; recorded: unknown; now: unknown };
export type SessionReplay = {
  session: string;
  result: ReplayResult;
  inputNumber: number | null;
  cause: string | null;
  message: string;
  differences: Difference[];
};
export type ReplayReport = {
  digest: string;
  histories: number;
  inputs: number;
  results: Partial<Record<ReplayResult, number>>;
  fuelRecorded: number;
  fuelNow: number;
  remarks: string[];
  sessions: SessionReplay[];
};

export type Activated = {
  generation: number;
  from: string | null;
  active: string;
  canary: { digest: string; share: number } | null;
  pinnedSessions: number;
  message: string;
  replay: ReplayReport | null;
};

export type PluginChange = {
  number: number;
  at: string;
  who: string;
  action: string;
  from: string | null;
  to: string | null;
  share: number | null;
  why: string;
  refusal: string | null;
  detail: string;
};
export type ChangesPage = { changes: PluginChange[]; next: number | null };

export type ParkedInput = { session: string; at: string; what: string; reason: string };
