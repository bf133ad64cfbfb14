import { CircleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { sentence, toProblem } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { minutes } from "./countdown";
import { Button } from "./ui/button";
import { Notice } from "./ui/notice";

type Props = { error: unknown; onRetry?: () => void };

/** What went wrong and what to do. `null` shows nothing, so it can stand in every form. */
export function ProblemNotice({ error, onRetry }: Props) {
  const problem = error ? toProblem(error) : null;
  const wait = useSecondsLeft(problem?.retryAt ?? null);
  if (!problem) return null;
  const known = texts.problems[problem.code];
  const title = known?.title ?? (problem.title || texts.problems.internal?.title);
  // The host's own sentence is left out where ours says it all.
  const said = known && !known.said ? "" : sentence(problem.detail);
  return (
    <Notice tone="danger" role="alert" icon={<CircleAlert aria-hidden />} title={title}>
      {said && <p className="break-words whitespace-pre-line">{said}</p>}
      {known?.help && <p>{known.help}</p>}
      {wait !== null && (
        <p aria-live="off" className="font-medium tabular-nums">
          {wait > 0 ? texts.problem.tryIn(minutes(wait)) : texts.problem.tryNow}
        </p>
      )}
      {onRetry && (
        <Button variant="outline" className="mt-2 text-foreground" onClick={onRetry}>
          {texts.app.retry}
        </Button>
      )}
    </Notice>
  );
}

/** Counts by this machine's clock: Retry-After is a duration, not a time. */
export function useSecondsLeft(until: number | null): number | null {
  const left = () => (until === null ? null : Math.max(0, Math.ceil((until - Date.now()) / 1000)));
  const [seconds, setSeconds] = useState(left);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `left` is made of `until` alone
  useEffect(() => {
    setSeconds(left());
    if (until === null) return;
    const timer = setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}
