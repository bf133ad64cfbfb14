import { CircleStop, RotateCw } from "lucide-react";
import { useCountdown } from "@/components/countdown";
import { HostSays } from "@/components/host-says";
import { ProblemNotice } from "@/components/problem-notice";
import { QueuePlace } from "@/components/queue-place";
import { Button } from "@/components/ui/button";
import { Progress } from "@/components/ui/progress";
import { Spinner } from "@/components/ui/spinner";
import type { SessionStatus } from "@/lib/api-types";
import { useSessionCommand } from "@/lib/session-queries";
import { reasonText, texts } from "@/lib/texts";

/** CONNECTING and AUTHENTICATED: what goes on, how far it is, and when it is tried again. */
export function ProgressPanel({ session }: { session: SessionStatus }) {
  const command = useSessionCommand(session.sessionName);
  const seconds = useCountdown(session.detail?.nextTryAt);
  const reason = session.status === "AUTHENTICATED" ? null : reasonText(session.reason);
  const { percent, attempt } = session.detail ?? {};
  const tries = [
    attempt ? texts.pairing.attempt(attempt) : null,
    seconds ? texts.pairing.nextTry(seconds) : null,
  ].filter((text) => text !== null);
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-5 py-10 text-center">
      <Spinner className="size-10 text-primary" />
      <div className="space-y-2">
        <h2 className="text-xl font-semibold tracking-tight">
          {reason?.title ?? texts.status[session.status]}
        </h2>
        <p className="text-muted">{reason?.help ?? texts.statusHelp[session.status]}</p>
        <HostSays reason={session.reason} detail={session.detail} />
      </div>
      {session.queue && <QueuePlace place={session.queue} />}
      <div className="w-full space-y-2">
        <Progress value={percent ?? null} label={texts.pairing.progress} />
        <p className="min-h-5 text-sm text-muted tabular-nums">
          {percent != null ? texts.pairing.percent(percent) : tries.join(", ")}
        </p>
      </div>
      {seconds ? (
        <Button
          variant="outline"
          disabled={command.isPending}
          onClick={() => command.mutate({ kind: "reconnect" })}
        >
          <RotateCw aria-hidden /> {texts.pairing.tryNow}
        </Button>
      ) : (
        !session.linked && (
          <Button
            variant="outline"
            disabled={command.isPending}
            onClick={() => command.mutate({ kind: "disconnect" })}
          >
            <CircleStop aria-hidden /> {texts.pairing.stop}
          </Button>
        )
      )}
      <ProblemNotice error={command.error} />
    </div>
  );
}
