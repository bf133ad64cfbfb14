import { QrCode, Smartphone } from "lucide-react";
import { useEffect, useState } from "react";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import type { SessionStatus } from "@/lib/api-types";
import { showPhoneNumber } from "@/lib/phone-number";
import { texts } from "@/lib/texts";
import { CodeView } from "./code-view";
import { QrView } from "./qr-view";

/** The two ways to link, while the session is QR_READY. */
export function LinkPanel({ session }: { session: SessionStatus }) {
  const [way, setWay] = useState<string>(session.pairingCode ? "code" : "qr");
  // A code asked for in another tab or by FinBot is brought to the eye as well.
  useEffect(() => {
    if (session.pairingCode) setWay("code");
  }, [session.pairingCode]);
  return (
    <Tabs value={way} onValueChange={setWay} className="space-y-6">
      <TabsList className="w-full sm:w-fit">
        <TabsTrigger value="qr">
          <QrCode aria-hidden /> {texts.pairing.byQr}
        </TabsTrigger>
        <TabsTrigger value="code">
          <Smartphone aria-hidden /> {texts.pairing.byCode}
        </TabsTrigger>
      </TabsList>
      {session.expectedPhoneNumber && (
        <p className="text-sm text-muted">
          {texts.pairing.expected(showPhoneNumber(session.expectedPhoneNumber))}
        </p>
      )}
      <TabsContent value="qr">
        <QrView session={session} />
      </TabsContent>
      <TabsContent value="code">
        <CodeView session={session} onBackToQr={() => setWay("qr")} />
      </TabsContent>
    </Tabs>
  );
}
