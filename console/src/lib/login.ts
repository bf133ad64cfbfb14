// Who is signed in, in this tab. The access token lives in this module's memory
// alone; the refresh cookie is the browser's and no script can read it.
import { useSyncExternalStore } from "react";
import type { LoginAnswer } from "./api-types";
import { type Problem, problemFrom, unreachable } from "./problem";
import { noteDateHeader, serverNow } from "./server-clock";

export type LoginPhase = "checking" | "unreachable" | "signed-in" | "signed-out";
export type LoginState = { phase: LoginPhase; username: string | null };

let state: LoginState = { phase: "checking", username: null };
let accessToken: string | null = null;
let renewal: ReturnType<typeof setTimeout> | undefined;
let refreshing: Promise<void> | null = null;
const listeners = new Set<() => void>();
const otherTabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("pairing-login");

function become(next: LoginState) {
  state = next;
  for (const listener of listeners) listener();
}

export function currentAccessToken(): string | null {
  return accessToken;
}

export function signedIn(answer: LoginAnswer) {
  accessToken = answer.accessToken;
  clearTimeout(renewal);
  // Renewed a minute before its end, or at half of a life shorter than two minutes.
  const lifeMs = Date.parse(answer.expiresAt) - serverNow();
  const waitMs = lifeMs > 120_000 ? lifeMs - 60_000 : Math.max(5_000, lifeMs / 2);
  renewal = setTimeout(() => void refresh().catch(() => undefined), Math.min(waitMs, 3_600_000));
  const before = state.phase;
  become({ phase: "signed-in", username: answer.user.username });
  if (before !== "signed-in") otherTabs?.postMessage("signed-in");
}

export function signedOut(tellOtherTabs = false) {
  accessToken = null;
  clearTimeout(renewal);
  become({ phase: "signed-out", username: null });
  if (tellOtherTabs) otherTabs?.postMessage("signed-out");
}

otherTabs?.addEventListener("message", (message) => {
  if (message.data === "signed-out") signedOut();
  // The cookie is theirs too.
  if (message.data === "signed-in" && state.phase === "signed-out") void refresh().catch(() => undefined);
});

/** Gets a new access token by the cookie; callers at the same time share one try. */
export function refresh(): Promise<void> {
  refreshing ??= oneTabAtATime(refreshNow).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function oneTabAtATime(work: () => Promise<void>): Promise<void> {
  if (typeof navigator === "undefined" || !navigator.locks) return work();
  await navigator.locks.request("pairing-refresh", work);
}

async function refreshNow() {
  let response: Response;
  try {
    response = await fetch("/auth/refresh", { method: "POST", credentials: "same-origin" });
  } catch {
    throw keepLogin(unreachable());
  }
  noteDateHeader(response);
  if (response.ok) return signedIn((await response.json()) as LoginAnswer);
  const problem = await problemFrom(response);
  if (response.status === 401 || response.status === 403) {
    signedOut();
    throw problem;
  }
  throw keepLogin(problem);
}

/** A host that does not answer signs nobody out: it may only be restarting. */
function keepLogin(problem: Problem): Problem {
  if (accessToken === null && state.phase !== "signed-out")
    become({ phase: "unreachable", username: state.username });
  else if (accessToken !== null) {
    clearTimeout(renewal);
    renewal = setTimeout(() => void refresh().catch(() => undefined), 5_000);
  }
  return problem;
}

export function useLogin(): LoginState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** For tests: as if the page had just been opened. */
export function forgetLogin() {
  accessToken = null;
  clearTimeout(renewal);
  become({ phase: "checking", username: null });
}
