import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { ProblemNotice } from "@/components/problem-notice";
import { StatusBadge } from "@/components/status-badge";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Waiting } from "@/components/waiting";
import type { SessionStatus } from "@/lib/api-types";
import { showPhoneNumber } from "@/lib/phone-number";
import { DEFAULT_SESSION, sessionsQuery } from "@/lib/session-queries";
import { useMustPoll } from "@/lib/socket-state";
import { reasonText, texts } from "@/lib/texts";
import { cn } from "@/lib/utils";
import { NewSessionDialog } from "./new-session-dialog";
import { SessionMenu } from "./session-menu";

function pathOf(name: string): string {
  if (name === DEFAULT_SESSION) return "/whatsapp-pairing";
  // There is a page of this name.
  if (name === "plugins" || name === "page") return `/whatsapp-pairing/session/${name}`;
  return `/whatsapp-pairing/${encodeURIComponent(name)}`;
}

/** All sessions, with what can be done to each. */
export function SessionList({ selected }: { selected: string }) {
  const navigate = useNavigate();
  const sessions = useQuery(sessionsQuery(useMustPoll()));
  const [adding, setAdding] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const list = sessions.data?.sessions ?? [];
  return (
    <Card aria-labelledby="sessions-title" className="space-y-4 p-4 sm:p-5">
      <div className="flex items-center justify-between gap-3">
        <h2 id="sessions-title" className="text-base font-semibold">
          {texts.sessions.title}
        </h2>
        <Button variant="outline" onClick={() => setAdding(true)}>
          <Plus aria-hidden /> {texts.sessions.add}
        </Button>
      </div>
      <ProblemNotice error={failed} />
      {sessions.isPending && <Waiting text={texts.app.loading} />}
      {sessions.isError && list.length === 0 && (
        <ProblemNotice error={sessions.error} onRetry={() => void sessions.refetch()} />
      )}
      {sessions.isSuccess && list.length === 0 && (
        <div className="rounded-xl border border-dashed border-border p-5 text-center text-sm">
          <p className="font-medium">{texts.sessions.empty}</p>
          <p className="mt-1 text-muted">{texts.sessions.emptyHelp}</p>
        </div>
      )}
      {list.length > 0 && (
        <ul className="-mx-2 space-y-1">
          {list.map((session) => (
            <SessionRow
              key={session.sessionName}
              session={session}
              current={session.sessionName === selected}
              onFailed={setFailed}
              onDeleted={() => session.sessionName === selected && navigate(pathOf(DEFAULT_SESSION))}
            />
          ))}
        </ul>
      )}
      {adding && (
        <NewSessionDialog
          taken={list.map((session) => session.sessionName)}
          onClose={() => setAdding(false)}
          onCreated={(name) => navigate(pathOf(name))}
        />
      )}
    </Card>
  );
}

type RowProps = {
  session: SessionStatus;
  current: boolean;
  onDeleted: () => void;
  onFailed: (error: unknown) => void;
};

function SessionRow({ session, current, onDeleted, onFailed }: RowProps) {
  const { account, status } = session;
  const about = account
    ? (account.name ?? showPhoneNumber(account.phoneNumber))
    : session.queue
      ? texts.queue.place(session.queue.position, session.queue.waiting)
      : (reasonText(session.reason)?.title ?? texts.statusHelp[status]);
  return (
    <li className={cn("flex items-center gap-1 rounded-xl pr-1", current ? "bg-raised" : "hover:bg-raised")}>
      <Link
        to={pathOf(session.sessionName)}
        aria-current={current ? "page" : undefined}
        className="min-w-0 flex-1 rounded-xl px-3 py-2.5"
      >
        <span className="flex items-center justify-between gap-2">
          <span className="truncate text-sm font-medium">{session.sessionName}</span>
          <StatusBadge status={status} reason={session.reason} className="px-2 py-0.5 text-xs" />
        </span>
        <span className="mt-0.5 block truncate text-xs text-muted">{about}</span>
      </Link>
      <SessionMenu session={session} onDeleted={onDeleted} onFailed={onFailed} />
    </li>
  );
}
