// Plugins as the host tells of them, and a host that tells so.
import type {
  PluginChange,
  PluginVersion,
  ReplayReport,
  SlotReport,
  SubscriptionSummary,
  Verdict,
} from "@/lib/api-types";
import type { FakeHost } from "./fake-host";
import { withSessions } from "./render";

export const OLD = "a".repeat(64);
export const NEW = "b".repeat(64);

const AT = "2026-09-01T08:00:00.000Z";

export const health = (change: Partial<SlotReport["health"]> = {}): SlotReport["health"] => ({
  breaker: "closed",
  calls: 1200,
  errors: 0,
  errorsByKind: {},
  p99Ms: 0.08,
  lastError: null,
  ...change,
});

export const slotReport = (change: Partial<SlotReport> = {}): SlotReport => ({
  slot: "workflow",
  digest: OLD,
  name: "pairing-workflow",
  version: "0.1.0",
  source: "embedded",
  generation: 7,
  pinnedSessions: 0,
  health: health(),
  canary: null,
  subscriptions: [],
  ...change,
});

export const subscription = (change: Partial<SubscriptionSummary> = {}): SubscriptionSummary => ({
  name: "default",
  disabled: null,
  lag: 0,
  lagging: 0,
  deadLetters: 0,
  ...change,
});

export const renderer = (change: Partial<SlotReport> = {}) =>
  slotReport({ slot: "qr-renderer", name: "qr-renderer", generation: 2, ...change });

export const pluginVersion = (change: Partial<PluginVersion> = {}): PluginVersion => ({
  digest: OLD,
  name: "pairing-workflow",
  version: "0.1.0",
  size: 214_016,
  source: "embedded",
  signedBy: null,
  acceptedBy: null,
  createdAt: AT,
  createdBy: "host",
  interface: "pairing:workflow/decisions@0.1.0",
  imports: [],
  initialMemory: 1_114_112,
  writesSchema: 1,
  readsSchemas: [1],
  fuel: [{ vector: "start", fuel: 48_211 }],
  isActive: false,
  isCanary: false,
  ...change,
});

export const active = pluginVersion({ isActive: true });
export const uploaded = pluginVersion({
  digest: NEW,
  version: "0.2.0",
  source: "upload",
  signedBy: "release-2026",
  createdBy: "maria",
});

export const verdict = (change: Partial<Verdict> = {}): Verdict => ({
  gate: "signature",
  passed: true,
  message: "signed by `release-2026`",
  at: AT,
  ...change,
});

export const change = (number: number, made: Partial<PluginChange> = {}): PluginChange => ({
  number,
  at: AT,
  who: "maria",
  action: "activate",
  from: OLD,
  to: NEW,
  share: null,
  why: "",
  refusal: null,
  detail: "",
  ...made,
});

export const replayReport = (made: Partial<ReplayReport> = {}): ReplayReport => ({
  digest: NEW,
  histories: 50,
  inputs: 1204,
  results: { identical: 50 },
  fuelRecorded: 1_000_000,
  fuelNow: 1_020_000,
  remarks: [],
  sessions: [],
  ...made,
});

type Known = {
  slots?: SlotReport[];
  versions?: PluginVersion[];
  changes?: PluginChange[];
};

/** A signed-in person, and these plugins in all slots alike. */
export function withPlugins(host: FakeHost, known: Known = {}): FakeHost {
  const slots = known.slots ?? [slotReport(), renderer()];
  withSessions(host).on("GET /plugins", { slots });
  for (const { slot } of slots) {
    host
      .on(`GET /plugins/${slot}/versions`, { versions: known.versions ?? [uploaded, active] })
      .on(`GET /plugins/${slot}/history`, { changes: known.changes ?? [], next: null })
      .on(`GET /plugins/${slot}/parked`, { parked: [] });
  }
  return host;
}
