import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { ProblemNotice } from "@/components/problem-notice";
import { Card } from "@/components/ui/card";
import { Waiting } from "@/components/waiting";
import { slotsQuery } from "@/features/plugins/api";
import { ParkedInputs } from "@/features/plugins/parked-inputs";
import { isHandler, slotTitle } from "@/features/plugins/show";
import { SlotHistory } from "@/features/plugins/slot-history";
import { SlotList } from "@/features/plugins/slot-list";
import { SlotPanel } from "@/features/plugins/slot-panel";
import { Subscriptions } from "@/features/plugins/subscriptions";
import { VersionList } from "@/features/plugins/version-list";
import { texts } from "@/lib/texts";

export function PluginsRoute() {
  const query = useQuery(slotsQuery);
  const slots = query.data?.slots ?? [];
  const wanted = useParams().slot;
  const slot = wanted ? slots.find((one) => one.slot === wanted) : slots[0];
  const title = [slot && slotTitle(slot.slot), texts.plugins.title, texts.app.name].filter(Boolean);
  if (!slot)
    return (
      <Card aria-labelledby="plugins-title" className="space-y-4">
        <title>{title.join(" · ")}</title>
        <h1 id="plugins-title" className="text-xl font-semibold tracking-tight">
          {texts.plugins.title}
        </h1>
        {query.isPending && <Waiting text={texts.app.loading} />}
        {query.isError && !query.data && (
          <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
        )}
        {query.data && (
          <p className="text-sm text-muted">{wanted ? texts.plugins.noSlot : texts.plugins.empty}</p>
        )}
      </Card>
    );
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <title>{title.join(" · ")}</title>
      <div className="lg:order-last">
        <SlotList slots={slots} selected={slot.slot} />
      </div>
      <div key={slot.slot} className="grid grid-cols-[minmax(0,1fr)] gap-5">
        <SlotPanel slot={slot} />
        {isHandler(slot.slot) && <Subscriptions subscriptions={slot.subscriptions} />}
        <VersionList slot={slot.slot} />
        <ParkedInputs slot={slot.slot} />
        <SlotHistory slot={slot.slot} />
      </div>
    </div>
  );
}
