import { CirclePause, QrCode, RotateCw, Smartphone } from "lucide-react";
import { HostSays } from "@/components/host-says";
import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import type { SessionStatus } from "@/lib/api-types";
import { type SessionCommand, useSessionCommand } from "@/lib/session-queries";
import { reasonText, texts } from "@/lib/texts";

/** What a session that does nothing offers: to start, to resume, or to reconnect. */
export function StartPanel({ session }: { session: SessionStatus }) {
  const command = useSessionCommand(session.sessionName);
  const parked = session.reason === "parked";
  const kept = session.linked;
  const first = session.reason === null || session.reason === "not_started";
  const reason = first ? null : reasonText(session.reason);
  const what: SessionCommand = kept ? { kind: "reconnect" } : { kind: "init" };
  const Icon = kept ? RotateCw : QrCode;
  const label = kept ? texts.pairing.reconnect : parked ? texts.pairing.resume : texts.pairing.generate;
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-5 py-8 text-center">
      <span className="grid size-16 place-items-center rounded-2xl bg-primary-soft text-primary">
        {parked ? (
          <CirclePause aria-hidden className="size-8" />
        ) : (
          <Smartphone aria-hidden className="size-8" />
        )}
      </span>
      <div className="space-y-2">
        <h2 className="text-xl font-semibold tracking-tight">{reason?.title ?? texts.pairing.idleTitle}</h2>
        <p className="text-muted">{reason?.help ?? texts.pairing.idleText}</p>
        <HostSays reason={session.reason} detail={session.detail} />
      </div>
      <Button
        size="large"
        className="h-auto min-h-12 py-2"
        disabled={command.isPending}
        onClick={() => command.mutate(what)}
      >
        {command.isPending ? <Spinner /> : <Icon aria-hidden />}
        {command.isPending ? texts.pairing.generating : label}
      </Button>
      <ProblemNotice error={command.error} />
    </div>
  );
}
