import { CircleCheck, CircleHelp, Search, TriangleAlert } from "lucide-react";
import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Facts } from "@/components/ui/facts";
import { Notice } from "@/components/ui/notice";
import { Spinner } from "@/components/ui/spinner";
import type { PageLook } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { showTime } from "@/lib/show-time";
import { texts } from "@/lib/texts";
import { useCheckPage } from "./api";

const words = texts.pageHooks.look;

/** Whether the page still is what the file says, as far as the host has looked. */
export function LastLook({ look }: { look: PageLook | null }) {
  const check = useCheckPage();
  return (
    <Card aria-labelledby="look-title" className="space-y-4">
      <header className="flex flex-wrap items-center justify-between gap-3">
        <h2 id="look-title" className="text-base font-semibold">
          {words.title}
        </h2>
        <Button variant="outline" disabled={check.isPending} onClick={() => check.mutate()}>
          {check.isPending ? <Spinner /> : <Search aria-hidden />}
          {check.isPending ? words.checking : words.check}
        </Button>
      </header>
      <ProblemNotice error={check.error} />
      {look ? <Found look={look} /> : <p className="text-sm text-muted">{words.none}</p>}
    </Card>
  );
}

function Found({ look }: { look: PageLook }) {
  const report = look.report;
  if (!report)
    return (
      <Notice tone="warning" icon={<CircleHelp aria-hidden />} title={words.unreached}>
        <p>{showTime(look.at)}</p>
        <p className="break-words">{sentence(look.error ?? "")}</p>
      </Notice>
    );
  const missing = Object.entries(report.missing);
  return (
    <>
      {report.isGood ? (
        <Notice tone="success" icon={<CircleCheck aria-hidden />} title={words.good} />
      ) : (
        <Notice tone="danger" icon={<TriangleAlert aria-hidden />} title={words.drift}>
          <ul className="space-y-1">
            {missing.map(([part, why]) => (
              <li key={part} className="break-words">
                <code className="font-mono text-[0.9em] font-medium">{part}</code>: {why}
              </li>
            ))}
            {!report.makesCodes && <li>{words.codes}</li>}
          </ul>
        </Notice>
      )}
      <Facts
        facts={[
          { term: words.at, fact: <time dateTime={look.at}>{showTime(look.at)}</time> },
          { term: words.version, fact: report.pageVersion ?? words.unknown },
          { term: words.parts, fact: Object.keys(report.found).length },
        ]}
      />
    </>
  );
}
