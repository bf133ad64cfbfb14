// Every text of the console. Another language is one more object of type `Texts`.
// Reasons and problems are keyed by the host's words.
import { pageHooksTexts } from "./page-hooks-texts";
import { pluginTexts } from "./plugin-texts";

/** `said`: the host's own sentence is shown too, because it knows more. */
type Words = { title: string; help: string; said?: true };

const reasons: Record<string, Words> = {
  not_started: { title: "Not started yet", help: "Generate a QR code to link a phone to this session." },
  starting: { title: "Starting the browser", said: true, help: "This usually takes a few seconds." },
  loading: { title: "Loading WhatsApp", help: "WhatsApp Web is being loaded and synchronised." },
  reconnecting: {
    title: "Reconnecting",
    said: true,
    help: "The link is kept. The host tries again by itself.",
  },
  parked: {
    title: "Paused: no codes are made",
    said: true,
    help: "The link can be made at any time. Resume when your phone is at hand.",
  },
  stopped: {
    title: "Stopped",
    said: true,
    help: "The session was disconnected here. Reconnect to go on where it was.",
  },
  logged_out: {
    title: "Logged out",
    said: true,
    help: "The link was removed here. Generate a new code to link a phone again.",
  },
  unlinked_from_phone: {
    title: "Unlinked from the phone",
    help: "Somebody removed this device under Linked Devices on the phone. Generate a new code to link it again.",
  },
  conflict: {
    title: "In use elsewhere",
    help: "This link is open in another place. Nothing is lost. Close it there; the host takes the link back late and seldom, and not for ever, or at once when you reconnect.",
  },
  client_outdated: {
    title: "WhatsApp asks for a newer version",
    said: true,
    help: "Update the host and its Chromium, then reconnect. The link is kept meanwhile.",
  },
  banned: {
    title: "The number is blocked by WhatsApp",
    said: true,
    help: "Open WhatsApp on the phone: it says why, and how to ask for a review.",
  },
  passkey_required: {
    title: "WhatsApp asks for a passkey",
    said: true,
    help: "On the phone: Settings, Account, Passkeys; remove the passkey, then start the session again. It can be made anew once the phone is linked.",
  },
  engine_crashed: {
    title: "The browser crashed",
    said: true,
    help: "The host starts it anew. If this goes on, reconnect, and check the host's memory.",
  },
  page_changed: {
    title: "WhatsApp Web has changed",
    said: true,
    help: "This version of the host does not know the page yet. Look for an update of the host.",
  },
  degraded: {
    title: "Linked, but not answering",
    said: true,
    help: "WhatsApp's page does not answer the regular check. The host repairs it step by step, without end; the history tells what it saw.",
  },
  other: {
    title: "Something else happened",
    said: true,
    help: "The history below may tell more. Reconnect, or generate a new code.",
  },
};

const problems: Record<string, Omit<Words, "help"> & { help?: string }> = {
  unreachable: {
    title: "The host does not answer",
    help: "It may be restarting. The console tries again by itself.",
  },
  internal: { title: "Something went wrong on the host", help: "Its log has the details." },
  login_failed: { title: "User name or password is wrong" },
  rate_limited: {
    title: "Too many tries",
    help: "WhatsApp and the host both limit how often this may be done.",
  },
  session_not_found: {
    title: "There is no such session",
    help: "It may have been deleted. Choose another one, or create it anew.",
  },
  session_not_ready: {
    title: "The session is not ready for that",
    said: true,
    help: "Wait until its status is QR Ready, then try again.",
  },
  already_linked: {
    title: "A phone is linked to this session already",
    help: "Log it out first, or use another session.",
  },
  code_refused: {
    title: "WhatsApp refused to give a code",
    said: true,
    help: "Check that it is the number of the phone in your hand, or scan the QR code instead.",
  },
  code_timeout: {
    title: "WhatsApp did not answer in time",
    help: "Try again, or scan the QR code instead.",
  },
  passkey_required: {
    title: "WhatsApp asks for a passkey",
    help: "Remove the passkey on the phone (Settings, Account, Passkeys), then start the session again.",
  },
  client_outdated: {
    title: "WhatsApp asks for a newer version",
    help: "Update the host and its Chromium, then reconnect.",
  },
  engine_unavailable: {
    title: "The host can't do this right now",
    said: true,
    help: "Try again in a moment.",
  },
  command_timeout: {
    title: "The session did not reply in time",
    help: "Look at its status: it may have done it all the same.",
  },
  plugin_failed: {
    title: "A plugin on the host failed",
    said: true,
    help: "The host's log has the details.",
  },
  page_hooks_invalid: { title: "The file can't be used", said: true },
  page_hooks_untried: { title: "The page can't be looked at now", said: true },
  page_hooks_version_unknown: { title: "There is no such file", said: true },
  page_hooks_conflict: { title: "What is in use does not allow this", said: true },
  evidence_not_found: {
    title: "Nothing is kept of this",
    help: "What was seen is kept for the newest repairs of a session only.",
  },
  plugin_refused: { title: "The component is refused", said: true },
  plugin_conflict: { title: "The slot does not allow this now", said: true },
  plugin_version_unknown: { title: "The slot does not know this version", said: true },
  store_unavailable: { title: "The host's database is away", help: "Try again in a moment." },
  unauthorized: { title: "Your sign-in has ended", help: "Please sign in again." },
  refresh_reused: { title: "Your sign-in has ended", help: "Please sign in again." },
  setup_done: {
    title: "This link is spent",
    help: "An administrator has been set up, or the link is too old. Sign in, or restart the host: while there is no administrator it prints a new link.",
  },
};

export const en = {
  app: {
    name: "WhatsApp Pairing Console",
    tagline: "Link a phone to your application and keep the link alive.",
    skip: "Skip to content",
    loading: "Loading…",
    status: "Status",
    retry: "Try again",
    cancel: "Cancel",
    close: "Close",
    notFound: "There is no such page.",
    toConsole: "Go to the console",
    failed: "This page has failed. Reload it to go on.",
    reload: "Reload",
    pages: "Pages",
    sessions: "Sessions",
    plugins: "Plugins",
    pageHooks: "Page knowledge",
  },
  theme: { system: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" },
  socket: {
    connecting: { label: "Connecting", help: "Live updates are being set up" },
    live: { label: "Live", help: "Changes show at once" },
    reconnecting: {
      label: "Reconnecting",
      help: "Live updates are interrupted; the status is asked for every few seconds",
    },
    offline: { label: "Offline", help: "The host can't be reached; the console keeps trying" },
  },
  login: {
    title: "Sign in",
    username: "User name",
    password: "Password",
    submit: "Sign in",
    working: "Signing in…",
    signOut: "Sign out",
    signedInAs: (name: string) => `Signed in as ${name}`,
    checking: "Checking your login…",
    unreachable: "The host can't be reached. Trying again…",
    setupNeeded:
      "No administrator has been set up yet. Open the one-time set-up link that the host printed when it started.",
    lost: "Lost the password? On the host, run: pairing-host admin password NAME",
  },
  setup: {
    title: "Set up the administrator",
    intro: "This link works once. Choose the name and password that you will sign in with.",
    password: "Password",
    repeat: "Repeat the password",
    rule: "At least 15 characters. A few unrelated words are easy to remember and hard to guess.",
    submit: "Create administrator",
    working: "Creating…",
    noToken:
      "This page needs the complete set-up link, including the part after #. The host prints it when it starts.",
    usernameMissing: "Choose a user name.",
    tooShort: (missing: number) => `Add ${missing} more character${missing === 1 ? "" : "s"}.`,
    likeName: "The password must not contain the user name.",
    different: "The two passwords differ.",
  },
  status: {
    DISCONNECTED: "Disconnected",
    CONNECTING: "Connecting",
    QR_READY: "QR Ready",
    AUTHENTICATED: "Authenticated",
    CONNECTED: "Connected",
  },
  /** The status when it is connected and yet does not answer. */
  degraded: "Not answering",
  statusHelp: {
    DISCONNECTED: "No phone is linked to this session.",
    CONNECTING: "The session is starting.",
    QR_READY: "Waiting for a phone to be linked.",
    AUTHENTICATED: "The phone has accepted the link. Its data is being synchronised.",
    CONNECTED: "The phone is linked and ready.",
  },
  reasons,
  problems,
  problem: {
    tryIn: (time: string) => `You can try again in ${time}.`,
    tryNow: "You can try again now.",
  },
  pairing: {
    generate: "Generate QR Code & Pairing Code",
    generating: "Starting…",
    resume: "Resume with a new QR code",
    reconnect: "Reconnect",
    idleTitle: "Link a phone",
    idleText: "A browser is started on the host, and a code to link your phone appears here.",
    attempt: (attempt: number) => `Attempt ${attempt}`,
    nextTry: (seconds: number) => `next try in ${seconds} s`,
    percent: (percent: number) => `${percent} %`,
    progress: "Progress",
    stop: "Stop",
    tryNow: "Try now",
    byQr: "Scan QR code",
    byCode: "Use phone number",
    qrAlt: "QR code to scan with WhatsApp",
    qrWaiting: "Waiting for the QR code…",
    qrExpired: "This code has expired. A new one is on its way.",
    qrExpiresIn: "New code in",
    refreshQr: "Refresh QR code",
    refreshing: "Refreshing…",
    codeShown: "A pairing code is being shown. WhatsApp offers one way at a time.",
    backToQr: "Back to QR code",
    expected: (number: string) => `Expected number: ${number}`,
    connectedTitle: "Phone linked",
    connectedNow: "Device linked successfully",
    connectedText: "The link is kept when the host restarts. You can close this page.",
    number: "Phone number",
    name: "Name",
    session: "Session",
    nameless: "Not given",
  },
  code: {
    phone: "Phone number",
    phoneHelp: "With country code, for example 55 11 99999-9999.",
    phoneMissing: "Enter the number with its country code, digits only or with spaces and dashes.",
    request: "Request Code",
    requesting: "Asking WhatsApp…",
    title: "Your pairing code",
    copy: "Copy code",
    copied: "Copied",
    copyFailed: "The browser did not allow copying. Select the code and copy it by hand.",
    expiresIn: "Expires in",
    expired: "The code has expired.",
    expiredHelp: "Request a new one, or go back to the QR code.",
  },
  steps: {
    title: "How to link",
    qr: [
      "Open WhatsApp on your phone.",
      "Go to Settings → Linked Devices. On Android: ⋮ → Linked devices.",
      "Tap Link a Device, and unlock the phone if it asks.",
      "Point the phone at the QR code on this page.",
    ],
    code: [
      "Open WhatsApp on your phone.",
      "Go to Settings → Linked Devices → Link a Device. On Android: ⋮ → Linked devices.",
      "Tap “Link with phone number instead”.",
      "Enter the eight characters that are shown here.",
    ],
  },
  sessions: {
    title: "Sessions",
    empty: "No sessions yet.",
    emptyHelp: "A session is one link to a WhatsApp account. Start with the one on this page.",
    add: "New session",
    addText: "A session is one link to a WhatsApp account, with a name of its own.",
    name: "Session name",
    nameRule: "1 to 64 letters, digits, dashes or underscores, beginning with a letter or digit.",
    nameWrong: "Use letters, digits, - and _ only, and begin with a letter or digit.",
    nameLong: "The name may have at most 64 characters.",
    nameMissing: "Give the session a name.",
    nameTaken: "There is a session of this name already.",
    expected: "Expected phone number (optional)",
    expectedHelp: "A phone with another number is unlinked again at once.",
    create: "Create and generate code",
    creating: "Creating…",
    actions: (name: string) => `Actions for ${name}`,
    disconnect: "Disconnect",
    reconnect: "Reconnect",
    logout: "Log out",
    delete: "Delete",
    working: "Working…",
    done: {
      disconnect: (name: string) => `${name} is disconnected`,
      reconnect: (name: string) => `${name} reconnects`,
      logout: (name: string) => `${name} is logged out`,
      delete: (name: string) => `${name} is deleted`,
    },
    confirm: {
      disconnect: {
        title: (name: string) => `Disconnect ${name}?`,
        text: "The browser is closed and no messages arrive until it is reconnected. The link to the phone is kept.",
        action: "Disconnect",
      },
      logout: {
        title: (name: string) => `Log out ${name}?`,
        text: "The link to the phone is removed. To use this session again, a phone has to be linked anew.",
        action: "Log out",
      },
      delete: {
        title: (name: string) => `Delete ${name}?`,
        text: "The link to the phone is removed, and the session is deleted with its history. This can't be undone.",
        action: "Delete session",
      },
      // Of a session without a link.
      remove: {
        title: (name: string) => `Delete ${name}?`,
        text: "No phone is linked to it. The session is deleted with its history. This can't be undone.",
        action: "Delete session",
      },
    },
  },
  queue: {
    place: (position: number, waiting: number) =>
      `Waiting for a browser: ${position} of ${waiting} in the line`,
    reasons: {
      starting: "Other sessions are in the middle of their start.",
      slots: "As many browsers run as this host may run. Disconnect a session, or raise the limit.",
      space: "The host's disk is nearly full. It goes on when there is room.",
    } as Record<string, string>,
  },
  alerts: {
    region: "Alerts",
    title: "The host has to say something",
    titles: {
      disk_space: "The host's disk",
      page_drift: "WhatsApp Web has changed",
      page_unreachable: "WhatsApp Web can't be looked at",
      page_hooks_refused: "The active page knowledge can't be used",
      wrong_number: "A wrong number was linked",
    } as Record<string, string>,
    putAway: "Put this alert away",
  },
  evidence: {
    open: "What was seen",
    openAt: (time: string) => `What was seen at ${time}`,
    title: "What was seen",
    text: "The host took this look before it repaired the session.",
    repair: "Done next",
    repairs: {
      agent: "Host's part in the page renewed",
      reload: "Page loaded anew",
      restart: "Browser started anew",
    } as Record<string, string>,
    state: "Page's state",
    step: "Last step",
    why: "Why",
    console: "Last lines of the page",
    silent: "It said nothing.",
    unknown: "Not known",
    picture: "The page, so coarse that nothing can be read.",
    pictureAlt: "Blurred picture of the page",
  },
  pageHooks: pageHooksTexts,
  history: {
    title: "History",
    empty: "Nothing has happened in this session yet.",
    more: "Show older entries",
  },
  plugins: pluginTexts,
} as const;

export type Texts = typeof en;
export const texts: Texts = en;

/** The status in a word. */
export function statusText(status: keyof Texts["status"], reason: string | null | undefined): string {
  return isDegraded(status, reason) ? texts.degraded : texts.status[status];
}

/** Linked, but the page does not answer. */
export function isDegraded(status: string, reason: string | null | undefined): boolean {
  return status === "CONNECTED" && reason === "degraded";
}

export function reasonText(reason: string | null | undefined): Words | null {
  return reason ? (texts.reasons[reason] ?? texts.reasons.other ?? null) : null;
}
