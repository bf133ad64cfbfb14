import { useState } from "react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import type { PageHooks } from "@/lib/api-types";
import { showTime } from "@/lib/show-time";
import { texts } from "@/lib/texts";
import type { Change } from "./api";
import { ChangeDialog } from "./change-dialog";

const words = texts.pageHooks.versions;

/** The first digits: enough for people, and for the host. */
const short = (digest: string) => digest.slice(0, 12);

export function HooksVersions({ hooks }: { hooks: PageHooks }) {
  const [change, setChange] = useState<Change | null>(null);
  return (
    <Card aria-labelledby="versions-title" className="space-y-3">
      <h2 id="versions-title" className="text-base font-semibold">
        {words.title}
      </h2>
      {hooks.versions.length === 0 && <p className="text-sm text-muted">{words.empty}</p>}
      <ul className="divide-y divide-border">
        {hooks.versions.map((version) => (
          <li key={version.digest} className="flex flex-wrap items-center justify-between gap-3 py-3 text-sm">
            <div className="min-w-0 space-y-1">
              <p className="flex flex-wrap items-center gap-2.5">
                <code title={version.digest} className="font-mono">
                  {short(version.digest)}
                </code>
                {version.isActive && <Badge tone="success">{words.active}</Badge>}
                {version.report.isGood ? (
                  <Badge>{words.good}</Badge>
                ) : (
                  <Badge tone="warning">{words.bad(Object.keys(version.report.missing).length)}</Badge>
                )}
              </p>
              <time dateTime={version.pushedAt} className="text-xs text-muted">
                {showTime(version.pushedAt)}
              </time>
            </div>
            {!version.isActive && (
              <Button
                variant="outline"
                aria-label={words.activateNamed(short(version.digest))}
                onClick={() => setChange({ kind: "activate", digest: version.digest })}
              >
                {words.activate}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {!hooks.inUse.isEmbedded && (
        <Button variant="outline" onClick={() => setChange({ kind: "activate", digest: null })}>
          {words.useEmbedded}
        </Button>
      )}
      {change && <ChangeDialog change={change} onClose={() => setChange(null)} />}
    </Card>
  );
}

export function HooksHistory({ hooks }: { hooks: PageHooks }) {
  const history = texts.pageHooks.history;
  if (hooks.history.length === 0) return null;
  return (
    <Card aria-labelledby="changes-title" className="space-y-3">
      <h2 id="changes-title" className="text-base font-semibold">
        {history.title}
      </h2>
      <ol className="divide-y divide-border">
        {hooks.history.map((change) => (
          <li key={change.generation} className="flex flex-wrap justify-between gap-x-4 gap-y-1 py-3 text-sm">
            <span className="break-words">
              {history.causes[change.cause] ?? change.cause}{" "}
              {history.to(change.digest ? short(change.digest) : texts.pageHooks.embedded)}{" "}
              <span className="text-muted">{history.by(change.actor)}</span>
            </span>
            <time dateTime={change.at} className="text-xs text-muted tabular-nums">
              {showTime(change.at)}
            </time>
          </li>
        ))}
      </ol>
    </Card>
  );
}
