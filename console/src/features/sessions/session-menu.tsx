import { EllipsisVertical, LogOut, PlugZap, Trash2, Unplug } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Menu, MenuItem } from "@/components/ui/menu";
import type { SessionStatus } from "@/lib/api-types";
import { useSessionCommand } from "@/lib/session-queries";
import { texts } from "@/lib/texts";
import { ConfirmDialog } from "./confirm-dialog";

type Props = {
  session: SessionStatus;
  onDeleted: () => void;
  /** Of a command that no dialog asks about; null when the next one begins. */
  onFailed: (error: unknown) => void;
};

export function SessionMenu({ session, onDeleted, onFailed }: Props) {
  const [asking, setAsking] = useState<"disconnect" | "logout" | "delete" | null>(null);
  const command = useSessionCommand(session.sessionName);
  const now = (kind: "disconnect" | "reconnect") => {
    onFailed(null);
    command.mutate({ kind }, { onError: onFailed });
  };
  const runs = session.status !== "DISCONNECTED";
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
          <MenuItem onSelect={() => (session.linked ? setAsking("disconnect") : now("disconnect"))}>
            <Unplug aria-hidden /> {texts.sessions.disconnect}
          </MenuItem>
        )}
        <MenuItem onSelect={() => now("reconnect")}>
          <PlugZap aria-hidden /> {texts.sessions.reconnect}
        </MenuItem>
        {session.linked && (
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
          session={session}
          command={asking}
          onClose={() => setAsking(null)}
          onDone={asking === "delete" ? onDeleted : undefined}
        />
      )}
    </>
  );
}
