import { CircleCheck, RotateCcw } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Facts } from "@/components/ui/facts";
import { Notice } from "@/components/ui/notice";
import type { Health, SlotReport } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { Digest } from "./digest";
import { HealthBadge } from "./health-badge";
import { RollbackDialog } from "./rollback-dialog";
import { showCount, showMilliseconds, slotHelp, slotTitle, versionName } from "./show";

const words = texts.plugins.facts;

/** What fills a slot and how it does; and the way back. */
export function SlotPanel({ slot }: { slot: SlotReport }) {
  const [goingBack, setGoingBack] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  return (
    <Card aria-labelledby="slot-title" className="space-y-6">
      <header className="flex flex-wrap items-start justify-between gap-3 border-b border-border pb-5">
        <div className="min-w-0 space-y-1.5">
          <h1 id="slot-title" className="text-xl font-semibold tracking-tight break-words">
            {slotTitle(slot.slot)}
          </h1>
          <p className="text-sm text-muted">{slotHelp(slot.slot)}</p>
        </div>
        <Button
          variant="outline"
          onClick={() => {
            setSaid(null);
            setGoingBack(true);
          }}
        >
          <RotateCcw aria-hidden /> {texts.plugins.rollback.open}
        </Button>
      </header>
      {said && (
        <Notice tone="success" role="status" icon={<CircleCheck aria-hidden />}>
          {sentence(said)}
        </Notice>
      )}
      <section aria-label={versionName(slot)} className="space-y-4">
        <Title of={slot} health={slot.health} />
        <Facts
          facts={[
            { term: words.digest, fact: <Digest digest={slot.digest} /> },
            { term: words.generation, fact: showCount(slot.generation) },
            { term: words.source, fact: texts.plugins.sources[slot.source] ?? slot.source },
            ...healthFacts(slot.health),
            {
              term: words.pinned,
              fact: (
                <>
                  {showCount(slot.pinnedSessions)}
                  {slot.pinnedSessions > 0 && (
                    <span className="block text-xs text-muted">{words.pinnedHelp}</span>
                  )}
                </>
              ),
              wide: slot.pinnedSessions > 0,
            },
            ...lastError(slot.health),
          ]}
        />
      </section>
      {slot.canary && (
        <section
          aria-label={texts.plugins.versions.canary}
          className="space-y-4 rounded-xl border border-border p-4"
        >
          <p className="text-sm font-medium text-primary">{texts.plugins.onTrial(slot.canary.share)}</p>
          <Title of={slot.canary} health={slot.canary.health} />
          <Facts
            facts={[
              { term: words.digest, fact: <Digest digest={slot.canary.digest} />, wide: true },
              ...healthFacts(slot.canary.health),
              ...lastError(slot.canary.health),
            ]}
          />
        </section>
      )}
      {goingBack && (
        <RollbackDialog
          slot={slot}
          onClose={() => setGoingBack(false)}
          onDone={(answer) => setSaid(answer.message)}
        />
      )}
    </Card>
  );
}

function Title({ of, health }: { of: { name: string; version: string }; health: Health }) {
  const calm = health.breaker === "closed";
  return (
    <div className="space-y-1">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-semibold break-words">{versionName(of)}</span>
        <HealthBadge breaker={health.breaker} />
      </p>
      {!calm && <p className="text-sm text-muted">{texts.plugins.breakers[health.breaker]?.help}</p>}
    </div>
  );
}

function healthFacts(health: Health) {
  const kinds = Object.entries(health.errorsByKind).map(([kind, count]) => `${kind} ${showCount(count)}`);
  return [
    { term: words.calls, fact: showCount(health.calls) },
    {
      term: words.errors,
      fact: `${showCount(health.errors)}${kinds.length > 0 ? ` (${kinds.join(", ")})` : ""}`,
    },
    { term: words.p99, fact: health.p99Ms === null ? words.none : showMilliseconds(health.p99Ms) },
  ];
}

function lastError({ lastError: said }: Health) {
  return said ? [{ term: words.lastError, fact: sentence(said), wide: true }] : [];
}
