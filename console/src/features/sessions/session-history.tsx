import { useInfiniteQuery } from "@tanstack/react-query";
import { ProblemNotice } from "@/components/problem-notice";
import { StatusBadge } from "@/components/status-badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Spinner } from "@/components/ui/spinner";
import { Waiting } from "@/components/waiting";
import type { HistoryEntry } from "@/lib/api-types";
import { toProblem } from "@/lib/problem";
import { historyPage, sessionKeys } from "@/lib/session-queries";
import { reasonText, texts } from "@/lib/texts";

const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** What has happened in a session, page by page. */
export function SessionHistory({ name }: { name: string }) {
  const history = useInfiniteQuery({
    queryKey: sessionKeys.history(name),
    queryFn: ({ pageParam, signal }) => historyPage(name, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
  const entries = history.data?.pages.flatMap((page) => page.history) ?? [];
  // A session that was never started has no history yet, which is no error.
  const unknown = history.isError && toProblem(history.error).code === "session_not_found";
  return (
    <Card aria-labelledby="history-title" className="space-y-4">
      <h2 id="history-title" className="text-base font-semibold">
        {texts.history.title}
      </h2>
      {history.isPending && <Waiting text={texts.app.loading} />}
      {history.isError && !unknown && (
        <ProblemNotice error={history.error} onRetry={() => void history.refetch()} />
      )}
      {(unknown || (history.isSuccess && entries.length === 0)) && (
        <p className="text-sm text-muted">{texts.history.empty}</p>
      )}
      {!unknown && entries.length > 0 && (
        <ol className="divide-y divide-border">
          {entries.map((entry) => (
            <Entry key={entry.id} entry={entry} />
          ))}
        </ol>
      )}
      {history.hasNextPage && (
        <Button
          variant="outline"
          disabled={history.isFetchingNextPage}
          onClick={() => void history.fetchNextPage()}
        >
          {history.isFetchingNextPage && <Spinner />}
          {texts.history.more}
        </Button>
      )}
    </Card>
  );
}

function Entry({ entry }: { entry: HistoryEntry }) {
  const reason = reasonText(entry.reason);
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2.5 text-sm">
      <StatusBadge status={entry.status} className="px-2 py-0.5 text-xs" />
      <span className="min-w-0 flex-1">{reason?.title ?? texts.statusHelp[entry.status]}</span>
      <time dateTime={entry.at} className="text-xs text-muted tabular-nums">
        {when.format(new Date(entry.at))}
      </time>
    </li>
  );
}
