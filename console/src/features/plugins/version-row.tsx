import { CircleCheck } from "lucide-react";
import { useState } from "react";
import { ProblemNotice } from "@/components/problem-notice";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { Waiting } from "@/components/waiting";
import type { Activated, PluginVersion, ReplayReport, Slot } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { ActivateDialog } from "./activate-dialog";
import { useReplay } from "./api";
import { Digest } from "./digest";
import { ReplayReportView } from "./replay-report";
import { isHandler, shortDigest, showSize, showTime, versionName } from "./show";
import { VersionDetails } from "./version-details";

const words = texts.plugins.versions;

/** A version; below it what was asked about it, and what came of activating it. */
export function VersionRow({ slot, version }: { slot: Slot; version: PluginVersion }) {
  const replay = useReplay(slot);
  const [report, setReport] = useState<ReplayReport | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const [open, setOpen] = useState(false);
  const [activating, setActivating] = useState(false);
  const name = versionName(version);
  // Two may have the same name and number.
  const label = (action: string) => words.of(action, name, shortDigest(version.digest));
  const startReplay = () => {
    setReport(null);
    setSaid(null);
    replay.mutate(version.digest, { onSuccess: setReport });
  };
  const activated = (answer: Activated) => {
    replay.reset();
    setReport(answer.replay);
    setSaid(answer.message);
  };
  return (
    <li className="space-y-4 py-4 first:pt-1 last:pb-0">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-60 space-y-1 text-sm">
          <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            <span className="font-medium break-all">{name}</span>
            {version.isActive && <Badge tone="success">{words.active}</Badge>}
            {version.isCanary && <Badge tone="primary">{words.canary}</Badge>}
          </p>
          <p className="text-muted">
            <Digest digest={version.digest} />
            {[showSize(version.size), signature(version)].map((fact) => fact && ` · ${fact}`)}
          </p>
          <p className="text-xs text-muted">
            <time dateTime={version.createdAt}>{showTime(version.createdAt)}</time> · {cameIn(version)}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          <Button
            variant="ghost"
            aria-expanded={open}
            aria-label={label(words.details)}
            onClick={() => setOpen(!open)}
          >
            {words.details}
          </Button>
          {!isHandler(slot) && (
            <Button
              variant="outline"
              aria-label={label(words.replay)}
              disabled={replay.isPending}
              onClick={startReplay}
            >
              {words.replay}
            </Button>
          )}
          {!version.isActive && (
            <Button variant="outline" aria-label={label(words.activate)} onClick={() => setActivating(true)}>
              {words.activate}
            </Button>
          )}
        </div>
      </div>
      {open && <VersionDetails slot={slot} version={version} />}
      {said && (
        <Notice tone="success" role="status" icon={<CircleCheck aria-hidden />}>
          {sentence(said)}
        </Notice>
      )}
      {replay.isPending && <Waiting text={texts.plugins.replay.working} />}
      <ProblemNotice error={replay.error} />
      {report && <ReplayReportView report={report} onClose={() => setReport(null)} />}
      {activating && (
        <ActivateDialog
          slot={slot}
          version={version}
          onClose={() => setActivating(false)}
          onActivated={activated}
        />
      )}
    </li>
  );
}

/** Who answers for it; what the host brought needs nobody's word. */
function signature(version: PluginVersion): string | null {
  if (version.signedBy) return words.signedBy(version.signedBy);
  if (version.acceptedBy) return words.acceptedBy(version.acceptedBy);
  return version.source === "embedded" ? null : words.unsigned;
}

function cameIn({ source, createdBy }: PluginVersion): string {
  const how = texts.plugins.sources[source] ?? source;
  return source === "upload" ? words.cameIn(how, createdBy) : how;
}
