import { X } from "lucide-react";
import { useId } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import type { ReplayReport, ReplayResult } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { resultTones } from "./result-tones";
import { SessionReplayView } from "./session-replay";
import { showCount } from "./show";

const words = texts.plugins.replay;

const RESULTS = Object.keys(resultTones) as ReplayResult[];

/** Percent of the recorded fuel from which on it is flagged: twice as much. */
const MUCH_FUEL = 200;

/** What a version would have done with the recorded histories. */
export function ReplayReportView({ report, onClose }: { report: ReplayReport; onClose: () => void }) {
  const id = useId();
  const fuel = report.fuelRecorded > 0 ? Math.round((report.fuelNow / report.fuelRecorded) * 100) : null;
  return (
    <section aria-labelledby={id} className="space-y-4 rounded-xl border border-border p-4 text-sm">
      <div className="flex items-start justify-between gap-3">
        <div>
          <h3 id={id} className="font-semibold">
            {words.title}
          </h3>
          <p role="status" className="text-muted">
            {report.histories === 0 ? words.none : words.summary(report.histories, report.inputs)}
          </p>
        </div>
        <Button
          variant="ghost"
          size="icon"
          className="-mt-2 -mr-2"
          aria-label={words.close}
          onClick={onClose}
        >
          <X aria-hidden />
        </Button>
      </div>
      {report.histories > 0 && (
        <ul className="grid grid-cols-2 gap-2 sm:grid-cols-5">
          {RESULTS.map((result) => (
            <ResultCount key={result} result={result} count={report.results[result] ?? 0} />
          ))}
        </ul>
      )}
      {fuel !== null && <p className={fuel > MUCH_FUEL ? "text-warning" : undefined}>{words.fuel(fuel)}</p>}
      {report.remarks.map((remark) => (
        <p key={remark} className="break-words">
          {sentence(remark)}
        </p>
      ))}
      {report.sessions.length > 0 && (
        <div className="space-y-2">
          <h4 className="font-semibold">{words.sessions}</h4>
          <ul className="divide-y divide-border">
            {report.sessions.map((one) => (
              <SessionReplayView key={one.session} replay={one} />
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

function ResultCount({ result, count }: { result: ReplayResult; count: number }) {
  return (
    <li title={words.results[result]?.help} className="rounded-lg bg-raised px-3 py-2">
      <span className="block text-lg font-semibold tabular-nums">{showCount(count)}</span>
      <Badge tone={count > 0 ? resultTones[result] : "plain"} className="px-0 py-0 bg-transparent">
        {words.results[result]?.title ?? result}
      </Badge>
    </li>
  );
}
