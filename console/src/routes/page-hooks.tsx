import { useQuery } from "@tanstack/react-query";
import { ProblemNotice } from "@/components/problem-notice";
import { Card } from "@/components/ui/card";
import { Waiting } from "@/components/waiting";
import { pageHooksQuery } from "@/features/page-hooks/api";
import { HooksHistory, HooksVersions } from "@/features/page-hooks/hooks-versions";
import { InUse } from "@/features/page-hooks/in-use";
import { LastLook } from "@/features/page-hooks/last-look";
import { texts } from "@/lib/texts";

export function PageHooksRoute() {
  const query = useQuery(pageHooksQuery);
  const title = <title>{[texts.pageHooks.title, texts.app.name].join(" · ")}</title>;
  if (!query.data)
    return (
      <Card aria-labelledby="page-hooks-title" className="space-y-4">
        {title}
        <h1 id="page-hooks-title" className="text-xl font-semibold tracking-tight">
          {texts.pageHooks.title}
        </h1>
        {query.isPending && <Waiting text={texts.app.loading} />}
        {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      </Card>
    );
  return (
    <div className="mx-auto grid max-w-3xl grid-cols-[minmax(0,1fr)] gap-5">
      {title}
      <InUse hooks={query.data} />
      <LastLook look={query.data.lastLook} />
      <HooksVersions hooks={query.data} />
      <HooksHistory hooks={query.data} />
    </div>
  );
}
