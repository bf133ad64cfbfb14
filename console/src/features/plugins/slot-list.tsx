import { Link } from "react-router";
import { Card } from "@/components/ui/card";
import type { SlotReport } from "@/lib/api-types";
import { texts } from "@/lib/texts";
import { cn } from "@/lib/utils";
import { HealthBadge } from "./health-badge";
import { slotTitle, versionName } from "./show";

/** All slots, with what fills them and how it does. */
export function SlotList({ slots, selected }: { slots: SlotReport[]; selected: string }) {
  return (
    <Card aria-labelledby="slots-title" className="space-y-4 p-4 sm:p-5">
      <h2 id="slots-title" className="text-base font-semibold">
        {texts.plugins.slotsTitle}
      </h2>
      <ul className="-mx-2 space-y-1">
        {slots.map((slot) => (
          <SlotRow key={slot.slot} slot={slot} current={slot.slot === selected} />
        ))}
      </ul>
    </Card>
  );
}

function SlotRow({ slot, current }: { slot: SlotReport; current: boolean }) {
  // What is worse is what one must see.
  const trial = slot.canary;
  const breaker = trial && slot.health.breaker === "closed" ? trial.health.breaker : slot.health.breaker;
  return (
    <li>
      <Link
        to={`/whatsapp-pairing/plugins/${slot.slot}`}
        aria-current={current ? "page" : undefined}
        className={cn("block rounded-xl px-3 py-2.5", current ? "bg-raised" : "hover:bg-raised")}
      >
        <span className="flex items-center justify-between gap-2">
          <span className="truncate text-sm font-medium">{slotTitle(slot.slot)}</span>
          <HealthBadge breaker={breaker} />
        </span>
        <span className="mt-0.5 block truncate text-xs text-muted">
          {versionName(slot)}
          {trial && `, ${texts.plugins.trial(trial.share)}`}
        </span>
      </Link>
    </li>
  );
}
