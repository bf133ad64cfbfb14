import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
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
import { reasonText, statusText, texts } from "@/lib/texts";
import { useWatching } from "@/lib/watching";

export function PairingRoute() {
  const name = useParams().name ?? DEFAULT_SESSION;
  const status = useQuery(sessionStatusQuery(name, useMustPoll()));
  const session = status.data;
  useWatching(name);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem] lg:grid-rows-[auto_1fr]">
      <title>{pageTitle(name, session)}</title>
      <Card key={name} aria-labelledby="session-title" className="space-y-6">
        <SessionHeader name={name} session={session} />
        {status.isPending && <Waiting text={texts.app.loading} />}
        {status.isError && !session && (
          <ProblemNotice error={status.error} onRetry={() => void status.refetch()} />
        )}
        {session && <PairingPanel session={session} />}
      </Card>
      <div className="lg:col-start-2 lg:row-span-2 lg:row-start-1">
        <SessionList selected={name} />
      </div>
      {session && <SessionHistory key={`history of ${name}`} name={name} createdAt={session.createdAt} />}
    </div>
  );
}

/** The status comes first: that is what is left of a title in a narrow tab. */
function pageTitle(name: string, session?: SessionStatus): string {
  const status = session && statusText(session.status, session.reason);
  return [status, name, texts.app.name].filter(Boolean).join(" · ");
}

/** Whose session it is, how it stands and why, and what can be done to it. */
function SessionHeader({ name, session }: { name: string; session?: SessionStatus }) {
  const navigate = useNavigate();
  const [failed, setFailed] = useState<unknown>(null);
  return (
    <header className="space-y-4 border-b border-border pb-5">
      <div className="flex items-start justify-between gap-3">
        <div className="min-w-0 space-y-2.5">
          <h1 id="session-title" className="text-xl font-semibold tracking-tight break-words">
            {name}
          </h1>
          <div
            role="status"
            aria-label={texts.app.status}
            className="flex flex-wrap items-center gap-x-3 gap-y-2"
          >
            {session && <StatusBadge status={session.status} reason={session.reason} />}
            {session && (
              <span className="text-sm text-muted">
                {reasonText(session.reason)?.title ?? texts.statusHelp[session.status]}
              </span>
            )}
          </div>
        </div>
        {session?.createdAt && (
          <SessionMenu
            session={session}
            onDeleted={() => navigate("/whatsapp-pairing")}
            onFailed={setFailed}
          />
        )}
      </div>
      <ProblemNotice error={failed} />
    </header>
  );
}
