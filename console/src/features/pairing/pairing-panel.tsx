import { useEffect, useRef, useState } from "react";
import type { SessionStatus } from "@/lib/api-types";
import { ConnectedPanel } from "./connected-panel";
import { LinkPanel } from "./link-panel";
import { ProgressPanel } from "./progress-panel";
import { StartPanel } from "./start-panel";

/** The session in its present state: each state shows what can be done in it. */
export function PairingPanel({ session }: { session: SessionStatus }) {
  const justNow = useJustLinked(session);
  switch (session.status) {
    case "DISCONNECTED":
      return <StartPanel session={session} />;
    case "CONNECTING":
    case "AUTHENTICATED":
      return <ProgressPanel session={session} />;
    case "QR_READY":
      return <LinkPanel session={session} />;
    case "CONNECTED":
      return <ConnectedPanel session={session} justNow={justNow} />;
  }
}

/** Whether the link was made while the person was looking, rather than some day before. */
function useJustLinked(session: SessionStatus): boolean {
  const [justNow, setJustNow] = useState(false);
  const wasLinking = useRef(false);
  useEffect(() => {
    if (session.status === "QR_READY") wasLinking.current = true;
    if (session.status === "DISCONNECTED") wasLinking.current = false;
    setJustNow(session.status === "CONNECTED" && wasLinking.current);
  }, [session.status]);
  return justNow;
}
