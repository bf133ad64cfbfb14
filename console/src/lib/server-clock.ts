// What time it is at the host. Codes expire by the host's clock, and the clock of
// the phone or laptop that shows them may be wrong by hours.

let offsetMs: number | null = null;

/** Takes the host's time from an answer or a frame that has just arrived. */
export function noteServerTime(serverTime: string | null | undefined) {
  const at = serverTime ? Date.parse(serverTime) : Number.NaN;
  if (!Number.isNaN(at)) offsetMs = at - Date.now();
}

/** The `Date` header has whole seconds only: good enough until something better comes. */
export function noteDateHeader(response: Response) {
  if (offsetMs === null) noteServerTime(response.headers.get("date"));
}

export function serverNow(): number {
  return Date.now() + (offsetMs ?? 0);
}

/** Whole seconds until then, never below 0; null where there is no such time. */
export function secondsUntil(at: string | number | null | undefined): number | null {
  if (at === null || at === undefined) return null;
  const then = typeof at === "number" ? at : Date.parse(at);
  return Number.isNaN(then) ? null : Math.max(0, Math.ceil((then - serverNow()) / 1000));
}

/** For tests: as if nothing had been heard from the host. */
export function forgetServerTime() {
  offsetMs = null;
}
