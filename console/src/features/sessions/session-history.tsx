import { useQuery } from "@tanstack/react-query";
import { ScanSearch } from "lucide-react";
import { useState } from "react";
import { HostSays } from "@/components/host-says";
import { ProblemNotice } from "@/components/problem-notice";
import { StatusBadge } from "@/components/status-badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Waiting } from "@/components/waiting";
import type { HistoryEntry } from "@/lib/api-types";
import { historyQuery } from "@/lib/session-queries";
import { reasonText, texts } from "@/lib/texts";
import { EvidenceDialog } from "./evidence-dialog";

const STEP = 10;
const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** What has happened in a session, newest first. One that was never started has no `createdAt`. */
export function SessionHistory({ name, createdAt }: { name: string; createdAt: string | null }) {
  const history = useQuery({ ...historyQuery(name, createdAt ?? ""), enabled: createdAt !== null });
  const [shown, setShown] = useState(STEP);
  const [opened, setOpened] = useState<HistoryEntry | null>(null);
  const entries = history.data ?? [];
  const isEmpty = createdAt === null || (history.isSuccess && entries.length === 0);
  return (
    <Card aria-labelledby="history-title" className="space-y-3">
      <h2 id="history-title" className="text-base font-semibold">
        {texts.history.title}
      </h2>
      {isEmpty && <p className="text-sm text-muted">{texts.history.empty}</p>}
      {!isEmpty && history.isPending && <Waiting text={texts.app.loading} />}
      {!isEmpty && history.isError && (
        <ProblemNotice error={history.error} onRetry={() => void history.refetch()} />
      )}
      {entries.length > 0 && (
        <ol className="divide-y divide-border">
          {entries
            .slice(-shown)
            .reverse()
            .map((entry) => (
              <Entry key={entry.id} entry={entry} onOpen={() => setOpened(entry)} />
            ))}
        </ol>
      )}
      {opened && <EvidenceDialog name={name} entry={opened} onClose={() => setOpened(null)} />}
      {entries.length > shown && (
        <Button variant="outline" onClick={() => setShown(shown + STEP * 5)}>
          {texts.history.more}
        </Button>
      )}
    </Card>
  );
}

function Entry({ entry, onOpen }: { entry: HistoryEntry; onOpen: () => void }) {
  const at = when.format(new Date(entry.at));
  return (
    <li className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1 py-3 text-sm sm:grid-cols-[9rem_1fr_auto]">
      <span>
        <StatusBadge status={entry.status} reason={entry.reason} className="px-2.5 py-0.5 text-xs" />
      </span>
      <span className="order-last col-span-2 min-w-0 sm:order-none sm:col-span-1">
        {reasonText(entry.reason)?.title ?? texts.statusHelp[entry.status]}
        <HostSays reason={entry.reason} detail={entry.detail} />
        {entry.hasEvidence && (
          <Button
            variant="ghost"
            className="-ml-2 flex h-8 px-2 text-primary"
            aria-label={texts.evidence.openAt(at)}
            onClick={onOpen}
          >
            <ScanSearch aria-hidden /> {texts.evidence.open}
          </Button>
        )}
      </span>
      <time dateTime={entry.at} className="text-xs text-muted tabular-nums">
        {at}
      </time>
    </li>
  );
}
