import { CircleCheck, TriangleAlert } from "lucide-react";
import { HostSays } from "@/components/host-says";
import type { SessionStatus } from "@/lib/api-types";
import { showPhoneNumber } from "@/lib/phone-number";
import { reasonText, texts } from "@/lib/texts";

export function ConnectedPanel({ session, justNow }: { session: SessionStatus; justNow: boolean }) {
  const degraded = session.reason === "degraded" ? reasonText("degraded") : null;
  const facts = [
    [texts.pairing.number, session.account ? showPhoneNumber(session.account.phoneNumber) : "–"],
    [texts.pairing.name, session.account?.name || texts.pairing.nameless],
    [texts.pairing.session, session.sessionName],
  ];
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-6 py-6 text-center">
      {degraded ? (
        <TriangleAlert aria-hidden className="size-16 text-warning" strokeWidth={1.5} />
      ) : (
        <CircleCheck aria-hidden className="size-16 text-success" strokeWidth={1.5} />
      )}
      <div className="space-y-2">
        <h2 className="text-xl font-semibold tracking-tight">
          {degraded?.title ?? (justNow ? texts.pairing.connectedNow : texts.pairing.connectedTitle)}
        </h2>
        <p className="text-muted">{degraded?.help ?? texts.pairing.connectedText}</p>
        <HostSays reason={session.reason} detail={session.detail} />
      </div>
      <dl className="w-full divide-y divide-border rounded-xl border border-border text-left text-sm">
        {facts.map(([term, fact]) => (
          <div key={term} className="flex justify-between gap-4 px-4 py-3">
            <dt className="text-muted">{term}</dt>
            <dd className="min-w-0 font-medium break-words">{fact}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
