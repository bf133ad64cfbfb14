// The texts of the plugins page; texts.ts holds the others and takes these in.

const slots: Record<string, { title: string; help: string }> = {
  workflow: { title: "Workflow", help: "Decides what happens next in a session." },
  "qr-renderer": { title: "QR renderer", help: "Draws the QR codes." },
  "fan-out": { title: "Fan-out", help: "Decides who gets which event, and in which shape." },
};

const breakers: Record<string, { title: string; help: string }> = {
  closed: { title: "Healthy", help: "It is called as usual." },
  open: {
    title: "Paused",
    help: "It failed again and again, so the host does not call it for a while. It tries again by itself.",
  },
  "half-open": { title: "Being tried", help: "One call is let through to see whether it works again." },
  quarantined: {
    title: "Quarantined",
    help: "The host has stopped calling it. Roll back, or activate another version.",
  },
};

/** How the replay of one history ended. */
const results: Record<string, { title: string; help: string }> = {
  identical: { title: "identical", help: "Decides as was recorded" },
  differs: { title: "differs", help: "Decides something else" },
  "state-rejected": { title: "state rejected", help: "Does not read the session's state" },
  trapped: { title: "trapped", help: "Failed in the call" },
  "over-budget": { title: "over budget", help: "Took more time, fuel or memory than a call may" },
};

const actions: Record<string, string> = {
  seed: "Host's own version",
  push: "New version",
  "accept-unsigned": "Acceptance without a signature",
  activate: "Activation",
  canary: "Trial",
  rollback: "Rollback",
  "automatic-rollback": "Rollback by the host",
  quarantine: "Quarantine by the host",
};

const sources: Record<string, string> = {
  embedded: "built into the host",
  folder: "from the plugins' folder",
  upload: "uploaded",
};

const plural = (count: number, one: string, many: string) =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

export const pluginTexts = {
  title: "Plugins",
  slotsTitle: "Slots",
  empty: "No plugins fill the slots.",
  noSlot: "There is no such slot.",
  slots,
  breakers,
  facts: {
    digest: "Digest",
    source: "Source",
    generation: "Generation",
    calls: "Calls",
    errors: "Errors",
    p99: "99 % of calls within",
    pinned: "Pinned sessions",
    pinnedHelp: "They stay with another version until they end.",
    lastError: "Last error",
    none: "–",
  },
  sources,
  onTrial: (share: number) => `On trial for ${share} % of the sessions`,
  trial: (share: number) => `trial ${share} %`,
  versions: {
    title: "Versions",
    empty: "No version is known to this slot.",
    active: "Active",
    canary: "On trial",
    signedBy: (key: string) => `Signed by ${key}`,
    acceptedBy: (who: string) => `Not signed, accepted by ${who}`,
    unsigned: "Not signed",
    cameIn: (source: string, who: string) => `${source} by ${who}`,
    details: "Details",
    activate: "Activate",
    replay: "Replay",
    of: (action: string, version: string, digest: string) => `${action}: ${version} (${digest})`,
    upload: "Upload a version",
  },
  details: {
    digest: "SHA-256",
    interface: "Interface",
    imports: "Imports",
    noImports: "none",
    memory: "Memory at start",
    writes: "Writes state schema",
    reads: "Reads state schemas",
    fuel: "Fuel per test vector",
    verdicts: "Verdicts of the gates",
    noVerdicts: "No gate has judged it.",
    passed: "passed",
    refused: "refused",
  },
  activate: {
    title: (version: string, digest: string) => `Activate ${version} (${digest})?`,
    text: "Recorded histories are replayed first. Calls that run now end on the version they began with; sessions whose history differs stay with theirs.",
    share: "For which sessions",
    everyone: "All sessions",
    percent: (share: number) => `${share} % of the sessions, on trial`,
    why: "Reason (optional)",
    whyHelp: "It is kept in the history.",
    action: "Activate",
    actionCanary: "Put on trial",
    working: "Replaying and activating…",
  },
  rollback: {
    open: "Roll back",
    title: (slot: string) => `Roll ${slot} back?`,
    text: "The version is swapped at once; nothing is compiled, and linked sessions stay linked.",
    to: "Back to",
    before: "The version before",
    endTrial: "The end of the trial: all sessions get the active version",
    action: "Roll back",
    working: "Rolling back…",
  },
  upload: {
    title: (slot: string) => `Upload a version for ${slot}`,
    text: "The component has to pass all gates. Nothing becomes active by uploading it.",
    component: "Component (.wasm)",
    componentMissing: "Choose the component's file.",
    signature: "Signature (.sig, optional)",
    signatureHelp: "The Ed25519 signature of the file, 64 bytes.",
    signatureWrong: (size: number) => `A signature has 64 bytes; this file has ${size}.`,
    unreadable: "The file can't be read. Choose it anew.",
    accept: "Accept without a signature (optional)",
    acceptHelp:
      "The SHA-256 digest that the author told you. You accept that one component, and the history says so.",
    acceptWrong: "A SHA-256 digest has 64 hexadecimal digits.",
    action: "Upload",
    working: "Passing the gates…",
  },
  done: {
    activate: "The version is active",
    canary: (share: number) => `The version is on trial for ${share} % of the sessions`,
    rollback: "The slot is rolled back",
    push: (name: string, version: string) => `${name} ${version} has passed all gates`,
  },
  replay: {
    title: "Replay report",
    working: "Replaying recorded histories…",
    close: "Close the report",
    summary: (histories: number, inputs: number) =>
      `${plural(histories, "history", "histories")} with ${plural(inputs, "input", "inputs")}`,
    none: "No histories were replayed.",
    results,
    fuel: (percent: number) => `Fuel: ${percent.toLocaleString("en")} % of what the recorded decisions took`,
    sessions: "Histories that are not identical",
    atInput: (number: number) => `at input ${number}`,
    differences: (count: number) => plural(count, "difference", "differences"),
    recorded: "recorded",
    now: "→ now",
    nothing: "nothing",
    whole: "(all of it)",
  },
  history: {
    title: "History",
    empty: "Nothing was done to this slot yet.",
    actions,
    fromTo: (from: string, to: string) => `${from} → ${to}`,
    share: (share: number) => `${share} % of the sessions`,
    refused: "Refused",
    done: "Done",
    by: (who: string) => `by ${who}`,
    more: "Show older entries",
  },
  parked: {
    title: "Parked",
    help: "What this slot's plugin could not work, even on a second try.",
  },
};
