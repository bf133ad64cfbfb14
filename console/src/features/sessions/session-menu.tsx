import { EllipsisVertical, LogOut, PlugZap, Trash2, Unplug } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Menu, MenuItem } from "@/components/ui/menu";
import type { SessionStatus } from "@/lib/api-types";
import { useSessionCommand } from "@/lib/session-queries";
import { texts } from "@/lib/texts";
import { type Confirmable, ConfirmDialog } from "./confirm-dialog";

type Props = { session: SessionStatus; onDeleted?: () => void; onError?: (error: unknown) => void };

export function SessionMenu({ session, onDeleted, onError }: Props) {
  const [asking, setAsking] = useState<Confirmable | null>(null);
  const command = useSessionCommand(session.sessionName);
  const runs = session.status !== "DISCONNECTED";
  const linked = session.account !== null;
  return (
    <>
      <Menu
        trigger={
          <Button variant="ghost" size="icon" aria-label={texts.sessions.actions(session.sessionName)}>
            <EllipsisVertical aria-hidden />
          </Button>
        }
      >
        {runs && (
          <MenuItem onSelect={() => setAsking("disconnect")}>
            <Unplug aria-hidden /> {texts.sessions.disconnect}
          </MenuItem>
        )}
        <MenuItem onSelect={() => command.mutate({ kind: "reconnect" }, { onError })}>
          <PlugZap aria-hidden /> {texts.sessions.reconnect}
        </MenuItem>
        {linked && (
          <MenuItem onSelect={() => setAsking("logout")}>
            <LogOut aria-hidden /> {texts.sessions.logout}
          </MenuItem>
        )}
        <MenuItem danger onSelect={() => setAsking("delete")}>
          <Trash2 aria-hidden /> {texts.sessions.delete}
        </MenuItem>
      </Menu>
      {asking && (
        <ConfirmDialog
          name={session.sessionName}
          what={asking}
          onClose={() => setAsking(null)}
          onDone={asking === "delete" ? onDeleted : undefined}
        />
      )}
    </>
  );
}
