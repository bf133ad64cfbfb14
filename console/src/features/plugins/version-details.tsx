import { useQuery } from "@tanstack/react-query";
import { ProblemNotice } from "@/components/problem-notice";
import { Badge } from "@/components/ui/badge";
import { Facts } from "@/components/ui/facts";
import { Waiting } from "@/components/waiting";
import type { PluginVersion, Slot, Verdict } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { judgedVersionQuery } from "./api";
import { showCount, showSize, showTime } from "./show";

const words = texts.plugins.details;

/** What the host found out about a version, and what each gate said of it. */
export function VersionDetails({ slot, version }: { slot: Slot; version: PluginVersion }) {
  const judged = useQuery(judgedVersionQuery(slot, version.digest));
  return (
    <div className="space-y-4 rounded-xl bg-raised p-4">
      <Facts facts={factsOf(version)} />
      <div className="space-y-2">
        <h3 className="text-sm font-semibold">{words.verdicts}</h3>
        {judged.isPending && <Waiting text={texts.app.loading} />}
        {judged.isError && <ProblemNotice error={judged.error} onRetry={() => void judged.refetch()} />}
        {judged.data?.verdicts.length === 0 && <p className="text-sm text-muted">{words.noVerdicts}</p>}
        {judged.data && judged.data.verdicts.length > 0 && (
          <ol className="space-y-2 text-sm">
            {judged.data.verdicts.map((verdict) => (
              <VerdictLine key={`${verdict.gate} ${verdict.at}`} verdict={verdict} />
            ))}
          </ol>
        )}
      </div>
    </div>
  );
}

function VerdictLine({ verdict }: { verdict: Verdict }) {
  return (
    <li className="space-y-0.5">
      <p className="flex flex-wrap items-center gap-x-2">
        <span className="font-medium">{verdict.gate}</span>
        <Badge tone={verdict.passed ? "success" : "danger"}>
          {verdict.passed ? words.passed : words.refused}
        </Badge>
        <span className="text-xs text-muted">{showTime(verdict.at)}</span>
      </p>
      {verdict.message && <p className="break-words whitespace-pre-line">{sentence(verdict.message)}</p>}
    </li>
  );
}

function factsOf(version: PluginVersion) {
  const fuel = version.fuel.map(({ vector, fuel: used }) => `${vector} ${showCount(used)}`);
  return [
    { term: words.digest, fact: <code className="break-all">{version.digest}</code>, wide: true },
    { term: words.interface, fact: <code className="break-all">{version.interface}</code>, wide: true },
    { term: words.imports, fact: version.imports.join(", ") || words.noImports },
    { term: words.memory, fact: showSize(version.initialMemory) },
    ...(version.writesSchema === null ? [] : [{ term: words.writes, fact: `${version.writesSchema}` }]),
    ...(version.readsSchemas.length === 0
      ? []
      : [{ term: words.reads, fact: version.readsSchemas.join(", ") }]),
    ...(fuel.length === 0 ? [] : [{ term: words.fuel, fact: fuel.join(" · "), wide: true }]),
  ];
}
