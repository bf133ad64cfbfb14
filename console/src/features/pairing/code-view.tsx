import { QrCode, TimerOff, TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { useCountdown } from "@/components/countdown";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import type { SessionStatus } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { useSessionCommand } from "@/lib/session-queries";
import { texts } from "@/lib/texts";
import { useRequestCode } from "./api";
import { CodeRequest } from "./code-request";
import { CodeShown } from "./code-shown";
import { Steps } from "./steps";

/** Linking by number: asks for a code, shows it until it expires, and leads back to the QR code. */
export function CodeView({ session, onBackToQr }: { session: SessionStatus; onBackToQr: () => void }) {
  const request = useRequestCode(session.sessionName);
  const command = useSessionCommand(session.sessionName);
  const seconds = useCountdown(session.pairingCodeExpiresAt);
  const [expired, setExpired] = useState(false);
  const code = seconds === 0 ? null : session.pairingCode;
  useEffect(() => {
    if (session.pairingCode && seconds === 0) setExpired(true);
    if (code) setExpired(false);
  }, [session.pairingCode, seconds, code]);
  const back = () => {
    if (session.pairingCode || !session.qrCode) command.mutate({ kind: "refresh-qr" });
    setExpired(false);
    onBackToQr();
  };
  return (
    <div className="grid items-start gap-8 md:grid-cols-2">
      <div className="space-y-5">
        {code ? (
          <CodeShown code={code} seconds={seconds} />
        ) : (
          <>
            {expired && (
              <Notice tone="warning" role="status" icon={<TimerOff aria-hidden />} title={texts.code.expired}>
                <p>{texts.code.expiredHelp}</p>
              </Notice>
            )}
            <CodeRequest
              pending={request.isPending}
              error={request.error}
              onRequest={(phone) => request.mutate(phone)}
            />
          </>
        )}
        {request.data?.warning && (
          <Notice tone="warning" role="status" icon={<TriangleAlert aria-hidden />}>
            {sentence(request.data.warning)}
          </Notice>
        )}
        {(code || expired) && (
          <Button variant="ghost" onClick={back}>
            <QrCode aria-hidden /> {texts.pairing.backToQr}
          </Button>
        )}
      </div>
      <Steps way="code" />
    </div>
  );
}
