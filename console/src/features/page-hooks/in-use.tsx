import { RotateCcw, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Facts } from "@/components/ui/facts";
import { Notice } from "@/components/ui/notice";
import type { PageHooks } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { ChangeDialog } from "./change-dialog";

const words = texts.pageHooks;

/** Which file is in use, and the way back. */
export function InUse({ hooks }: { hooks: PageHooks }) {
  const [goingBack, setGoingBack] = useState(false);
  const { inUse, canaryEverySeconds } = hooks;
  const hours = canaryEverySeconds === null ? null : (canaryEverySeconds / 3600).toLocaleString("en");
  return (
    <Card aria-labelledby="page-hooks-title" className="space-y-6">
      <header className="flex flex-wrap items-start justify-between gap-3 border-b border-border pb-5">
        <div className="min-w-0 flex-1 basis-72 space-y-1.5">
          <h1 id="page-hooks-title" className="text-xl font-semibold tracking-tight">
            {words.title}
          </h1>
          <p className="text-sm text-muted">{words.intro}</p>
        </div>
        {hooks.history.length > 0 && (
          <Button variant="outline" onClick={() => setGoingBack(true)}>
            <RotateCcw aria-hidden /> {words.rollback}
          </Button>
        )}
      </header>
      {inUse.refused && (
        <Notice tone="danger" icon={<TriangleAlert aria-hidden />} title={words.refused}>
          <p className="break-words">{sentence(inUse.refused)}</p>
        </Notice>
      )}
      <Facts
        facts={[
          { term: words.inUse, fact: inUse.isEmbedded ? words.embedded : words.pushed },
          {
            term: words.digest,
            fact: (
              <code title={inUse.digest} className="font-mono text-[0.9em]">
                {inUse.digest.slice(0, 12)}
              </code>
            ),
          },
          { term: words.every, fact: hours === null ? words.never : words.everyHours(hours) },
        ]}
      />
      {goingBack && <ChangeDialog change={{ kind: "rollback" }} onClose={() => setGoingBack(false)} />}
    </Card>
  );
}
