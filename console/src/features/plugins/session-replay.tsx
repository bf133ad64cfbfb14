import { Badge } from "@/components/ui/badge";
import type { Difference, SessionReplay } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { cn } from "@/lib/utils";
import { resultTones } from "./result-tones";
import { showJson } from "./show";

const words = texts.plugins.replay;

/** What happened to one session's history, and at which input. */
export function SessionReplayView({ replay }: { replay: SessionReplay }) {
  const where = [
    replay.inputNumber === null ? null : words.atInput(replay.inputNumber),
    replay.cause && `(${replay.cause})`,
  ];
  return (
    <li className="space-y-1.5 py-3">
      <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <span className="font-medium break-all">{replay.session}</span>
        <Badge tone={resultTones[replay.result] ?? "plain"}>
          {words.results[replay.result]?.title ?? replay.result}
        </Badge>
        <span className="text-muted break-all">{where.filter(Boolean).join(" ")}</span>
      </p>
      <p className="break-words whitespace-pre-line">{sentence(replay.message)}</p>
      {replay.differences.length > 0 && (
        <details>
          <summary className="w-fit cursor-pointer rounded py-1 text-primary">
            {words.differences(replay.differences.length)}
          </summary>
          <ul className="mt-2 space-y-3">
            {replay.differences.map((difference) => (
              <DifferenceView key={difference.path} difference={difference} />
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function DifferenceView({ difference }: { difference: Difference }) {
  const sides = [
    { side: words.recorded, value: difference.recorded, look: "bg-danger-soft text-danger" },
    { side: words.now, value: difference.now, look: "bg-success-soft text-success" },
  ];
  return (
    <li className="space-y-1">
      <code className="text-xs break-all text-muted">{difference.path || words.whole}</code>
      <dl className="grid gap-1 sm:grid-cols-2 sm:gap-2">
        {sides.map(({ side, value, look }) => (
          <div key={side} className={cn("min-w-0 rounded-lg px-3 py-2", look)}>
            <dt className="text-xs">{side}</dt>
            <dd>
              <code className="text-xs break-words whitespace-pre-wrap">{showJson(value)}</code>
            </dd>
          </div>
        ))}
      </dl>
    </li>
  );
}
