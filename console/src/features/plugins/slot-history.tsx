import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ProblemNotice } from "@/components/problem-notice";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Spinner } from "@/components/ui/spinner";
import { Waiting } from "@/components/waiting";
import type { PluginChange, Slot } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { changesQuery, versionsQuery } from "./api";
import { shortDigest, showTime } from "./show";

const words = texts.plugins.history;

/** Who did what to a slot, and what came of it; newest first. */
export function SlotHistory({ slot }: { slot: Slot }) {
  const history = useInfiniteQuery(changesQuery(slot));
  const versions = useQuery(versionsQuery(slot));
  const known = new Map(versions.data?.versions.map((one) => [one.digest, one.version]));
  const changes = history.data?.pages.flatMap((page) => page.changes) ?? [];
  return (
    <Card aria-labelledby="changes-title" className="space-y-3">
      <h2 id="changes-title" className="text-base font-semibold">
        {words.title}
      </h2>
      {history.isPending && <Waiting text={texts.app.loading} />}
      {history.isError && changes.length === 0 && (
        <ProblemNotice error={history.error} onRetry={() => void history.refetch()} />
      )}
      {history.isSuccess && changes.length === 0 && <p className="text-sm text-muted">{words.empty}</p>}
      {changes.length > 0 && (
        <ol className="divide-y divide-border">
          {changes.map((change) => (
            <Change key={change.number} change={change} known={known} />
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
          {words.more}
        </Button>
      )}
    </Card>
  );
}

/** What is done so that one version takes the place of another. */
const SWAPS: PluginChange["action"][] = ["seed", "activate", "canary", "rollback", "automatic-rollback"];

/** A version's number with its digest, of those that the slot knows. */
function named(digest: string | null, known: Map<string, string>): string | null {
  if (!digest) return null;
  return [known.get(digest), shortDigest(digest)].filter(Boolean).join(" ");
}

function Change({ change, known }: { change: PluginChange; known: Map<string, string> }) {
  const to = named(change.to, known);
  const from = SWAPS.includes(change.action) ? named(change.from, known) : null;
  const about = from && to && from !== to ? words.fromTo(from, to) : (to ?? from);
  return (
    <li className="space-y-1 py-3 text-sm">
      <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <span className="font-medium">{words.actions[change.action] ?? change.action}</span>
        <Badge tone={change.refusal === null ? "success" : "danger"}>
          {change.refusal === null ? words.done : words.refused}
        </Badge>
        <span className="text-xs text-muted tabular-nums">
          <time dateTime={change.at}>{showTime(change.at)}</time> {words.by(change.who)}
        </span>
      </p>
      {about && (
        <p className="text-muted break-words">
          <code className="text-[0.9em]">{about}</code>
          {change.share !== null && `, ${words.share(change.share)}`}
        </p>
      )}
      {change.why && <p className="break-words">“{change.why}”</p>}
      {change.detail && <p className="text-muted break-words">{sentence(change.detail)}</p>}
      {change.refusal !== null && (
        <p className="text-danger break-words whitespace-pre-line">{sentence(change.refusal)}</p>
      )}
    </li>
  );
}
