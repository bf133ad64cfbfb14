import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearchParams } from "react-router";
import { ProblemNotice } from "@/components/problem-notice";
import { StatusBadge } from "@/components/status-badge";
import { Card } from "@/components/ui/card";
import { Waiting } from "@/components/waiting";
import { PairingPanel } from "@/features/pairing/pairing-panel";
import { SessionHistory } from "@/features/sessions/session-history";
import { SessionList } from "@/features/sessions/session-list";
import { SessionMenu } from "@/features/sessions/session-menu";
import type { SessionStatus } from "@/lib/api-types";
import { DEFAULT_SESSION, sessionStatusQuery } from "@/lib/session-queries";
import { useMustPoll } from "@/lib/socket-state";
import { reasonText, texts } from "@/lib/texts";

export function PairingRoute() {
  const params = useParams();
  const [search] = useSearchParams();
  const name = params.name ?? search.get("session") ?? DEFAULT_SESSION;
  const status = useQuery(sessionStatusQuery(name, useMustPoll()));
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <div className="min-w-0 space-y-5">
        <Card aria-labelledby="session-title" className="space-y-6">
          <SessionHeader name={name} session={status.data} />
          {status.isPending && <Waiting text={texts.app.loading} />}
          {status.isError && !status.data && (
            <ProblemNotice error={status.error} onRetry={() => void status.refetch()} />
          )}
          {status.data && <PairingPanel key={name} session={status.data} />}
        </Card>
        <SessionHistory key={name} name={name} />
      </div>
      <SessionList selected={name} />
    </div>
  );
}

function SessionHeader({ name, session }: { name: string; session?: SessionStatus }) {
  const navigate = useNavigate();
  const known = session && session.reason !== "not_started";
  return (
    <header className="flex items-start justify-between gap-3 border-b border-border pb-5">
      <div className="min-w-0 space-y-2">
        <h1 id="session-title" className="text-xl font-semibold tracking-tight break-words">
          {name}
        </h1>
        <div role="status" aria-label="Status" className="flex flex-wrap items-center gap-x-3 gap-y-2">
          {session && <StatusBadge status={session.status} />}
          {session && (
            <span className="text-sm text-muted">
              {reasonText(session.reason)?.title ?? texts.statusHelp[session.status]}
            </span>
          )}
        </div>
      </div>
      {known && <SessionMenu session={session} onDeleted={() => navigate("/whatsapp-pairing")} />}
    </header>
  );
}
