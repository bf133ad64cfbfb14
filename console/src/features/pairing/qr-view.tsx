import { RefreshCw } from "lucide-react";
import { Countdown, useCountdown } from "@/components/countdown";
import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import type { SessionStatus } from "@/lib/api-types";
import { useSessionCommand } from "@/lib/session-queries";
import { texts } from "@/lib/texts";
import { Steps } from "./steps";

/** The QR code with the time it has left. The host sends the next one by itself. */
export function QrView({ session }: { session: SessionStatus }) {
  const command = useSessionCommand(session.sessionName);
  const seconds = useCountdown(session.qrExpiresAt);
  const qrCode = seconds === 0 ? null : session.qrCode;
  const codeIsShown = Boolean(session.pairingCode);
  return (
    <div className="grid items-start gap-8 md:grid-cols-[auto_1fr]">
      <div className="mx-auto w-full max-w-80 space-y-4">
        <div className="grid aspect-square w-full place-items-center rounded-2xl border border-border bg-white p-1.5 text-center">
          {qrCode ? (
            <img src={qrCode} alt={texts.pairing.qrAlt} className="size-full [image-rendering:pixelated]" />
          ) : codeIsShown ? (
            <p className="p-6 text-sm text-slate-700">{texts.pairing.codeShown}</p>
          ) : (
            <p role="status" className="flex flex-col items-center gap-3 p-6 text-sm text-slate-700">
              <Spinner className="size-6" />
              {session.qrCode ? texts.pairing.qrExpired : texts.pairing.qrWaiting}
            </p>
          )}
        </div>
        <div className="flex min-h-10 items-center justify-between gap-2">
          {qrCode && seconds !== null ? (
            <Countdown label={texts.pairing.qrExpiresIn} seconds={seconds} />
          ) : (
            <span />
          )}
          <Button
            variant="outline"
            className="px-3 sm:px-4"
            disabled={command.isPending}
            onClick={() => command.mutate({ kind: "refresh-qr" })}
          >
            {command.isPending ? <Spinner /> : <RefreshCw aria-hidden />}
            {codeIsShown ? texts.pairing.backToQr : texts.pairing.refreshQr}
          </Button>
        </div>
        <ProblemNotice error={command.error} />
      </div>
      <Steps way="qr" />
    </div>
  );
}
