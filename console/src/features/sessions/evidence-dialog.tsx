import { useQuery } from "@tanstack/react-query";
import { ProblemNotice } from "@/components/problem-notice";
import { Dialog } from "@/components/ui/dialog";
import { Facts } from "@/components/ui/facts";
import { Waiting } from "@/components/waiting";
import type { Evidence, HistoryEntry } from "@/lib/api-types";
import { evidenceQuery, screenshotQuery } from "@/lib/session-queries";
import { texts } from "@/lib/texts";

const words = texts.evidence;

type Props = { name: string; entry: HistoryEntry; onClose: () => void };

/** What was seen when a session was repaired. */
export function EvidenceDialog({ name, entry, onClose }: Props) {
  const evidence = useQuery(evidenceQuery(name, entry.id));
  return (
    <Dialog title={words.title} description={words.text} onClose={onClose}>
      {evidence.isPending && <Waiting text={texts.app.loading} />}
      {evidence.isError && <ProblemNotice error={evidence.error} onRetry={() => void evidence.refetch()} />}
      {evidence.data && <Seen name={name} entry={entry} evidence={evidence.data} />}
    </Dialog>
  );
}

function Seen({ name, entry, evidence }: { name: string; entry: HistoryEntry; evidence: Evidence }) {
  return (
    <div className="space-y-5">
      <Facts
        className="sm:grid-cols-2"
        facts={[
          { term: words.repair, fact: words.repairs[evidence.repair] ?? evidence.repair },
          { term: words.state, fact: evidence.pageState || words.unknown },
          { term: words.step, fact: evidence.step || words.unknown },
          { term: words.why, fact: evidence.message, wide: true },
        ]}
      />
      <section className="space-y-1.5">
        <h3 className="text-xs text-muted">{words.console}</h3>
        {evidence.console.length === 0 ? (
          <p className="text-sm">{words.silent}</p>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: so that it can be scrolled by keys
          <pre tabIndex={0} className="max-h-40 overflow-auto rounded-lg bg-raised p-3 text-xs">
            {evidence.console.join("\n")}
          </pre>
        )}
      </section>
      {evidence.hasScreenshot && <Picture name={name} id={entry.id} />}
    </div>
  );
}

function Picture({ name, id }: { name: string; id: string }) {
  const picture = useQuery(screenshotQuery(name, id));
  if (picture.isError) return <ProblemNotice error={picture.error} />;
  if (!picture.data) return <Waiting text={texts.app.loading} />;
  return (
    <figure className="space-y-1.5">
      <img
        src={picture.data}
        alt={words.pictureAlt}
        className="w-full rounded-lg border border-border bg-raised blur-[1px]"
      />
      <figcaption className="text-xs text-muted">{words.picture}</figcaption>
    </figure>
  );
}
