import { useQuery } from "@tanstack/react-query";
import { Card } from "@/components/ui/card";
import type { Slot } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { parkedQuery } from "./api";
import { showTime } from "./show";

/** What a slot's plugin failed at for good. Nothing is shown where there is nothing. */
export function ParkedInputs({ slot }: { slot: Slot }) {
  const parked = useQuery(parkedQuery(slot)).data?.parked ?? [];
  if (parked.length === 0) return null;
  return (
    <Card aria-labelledby="parked-title" className="space-y-3">
      <div>
        <h2 id="parked-title" className="text-base font-semibold">
          {texts.plugins.parked.title}
        </h2>
        <p className="text-sm text-muted">{texts.plugins.parked.help}</p>
      </div>
      <ul className="divide-y divide-border">
        {parked.map((one) => (
          <li key={`${one.session} ${one.at} ${one.what}`} className="space-y-1 py-3 text-sm">
            <p className="flex flex-wrap items-center gap-x-2.5">
              <span className="font-medium break-all">{one.session}</span>
              <span className="break-all">{one.what}</span>
              <span className="text-xs text-muted tabular-nums">{showTime(one.at)}</span>
            </p>
            <p className="text-muted break-words whitespace-pre-line">{sentence(one.reason)}</p>
          </li>
        ))}
      </ul>
    </Card>
  );
}
