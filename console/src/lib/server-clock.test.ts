import { expect, test, vi } from "vitest";
import { noteDateHeader, noteServerTime, secondsUntil, serverNow } from "./server-clock";

const NOON = Date.UTC(2026, 8, 1, 12);

test("counts by the host's clock, whatever this machine's says", () => {
  vi.useFakeTimers({ now: NOON + 3 * 3600_000 });
  noteServerTime("2026-09-01T12:00:00.000Z");
  expect(secondsUntil("2026-09-01T12:00:20.000Z")).toBe(20);
  vi.advanceTimersByTime(5_500);
  expect(secondsUntil("2026-09-01T12:00:20.000Z")).toBe(15);
  vi.advanceTimersByTime(60_000);
  expect(secondsUntil("2026-09-01T12:00:20.000Z")).toBe(0);
});

test("the Date header serves until there is something finer", () => {
  vi.useFakeTimers({ now: NOON - 3600_000 });
  const answer = new Response(null, { headers: { date: "Tue, 01 Sep 2026 12:00:00 GMT" } });
  noteDateHeader(answer);
  expect(serverNow()).toBe(NOON);
  noteServerTime("2026-09-01T12:00:00.750Z");
  noteDateHeader(answer);
  expect(serverNow()).toBe(NOON + 750);
});

test("without an end there is nothing to count", () => {
  expect(secondsUntil(null)).toBeNull();
  expect(secondsUntil("never")).toBeNull();
});
