import { useEffect, useState } from "react";
import { secondsUntil } from "@/lib/server-clock";

/** Whole seconds until then by the host's clock, counting down; null where there is no end. */
export function useCountdown(at: string | number | null | undefined): number | null {
  const [seconds, setSeconds] = useState(() => secondsUntil(at));
  useEffect(() => {
    const tick = () => setSeconds(secondsUntil(at));
    tick();
    if (at === null || at === undefined) return;
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [at]);
  return seconds;
}

export function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The time that is left, as a text that the eye can follow and a screen reader is spared. */
export function Countdown({ label, seconds }: { label: string; seconds: number }) {
  return (
    <p role="timer" aria-live="off" className="text-sm whitespace-nowrap text-muted tabular-nums">
      {label} <span className="font-semibold text-foreground">{minutes(seconds)}</span>
    </p>
  );
}
