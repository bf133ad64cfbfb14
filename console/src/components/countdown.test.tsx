import { act, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { noteServerTime } from "@/lib/server-clock";
import { Countdown, useCountdown } from "./countdown";

function Code({ expiresAt }: { expiresAt: string }) {
  const seconds = useCountdown(expiresAt);
  return <Countdown label="New code in" seconds={seconds ?? 0} />;
}

test("counts down by the host's clock and begins anew with the next code", () => {
  vi.useFakeTimers({ now: Date.UTC(2031, 0, 1) });
  noteServerTime("2026-09-01T12:00:00.000Z");
  const { rerender } = render(<Code expiresAt="2026-09-01T12:01:00.000Z" />);
  expect(screen.getByRole("timer")).toHaveTextContent("New code in 1:00");
  act(() => vi.advanceTimersByTime(13_000));
  expect(screen.getByRole("timer")).toHaveTextContent("New code in 0:47");
  rerender(<Code expiresAt="2026-09-01T12:00:33.000Z" />);
  expect(screen.getByRole("timer")).toHaveTextContent("New code in 0:20");
  act(() => vi.advanceTimersByTime(60_000));
  expect(screen.getByRole("timer")).toHaveTextContent("New code in 0:00");
});
