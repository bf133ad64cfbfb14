import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/spinner";
import type { SessionStatus } from "@/lib/api-types";
import { useSessionCommand } from "@/lib/session-queries";
import { texts } from "@/lib/texts";

type Props = {
  session: SessionStatus;
  command: "disconnect" | "logout" | "delete";
  onClose: () => void;
  onDone?: () => void;
};

/** Names the session and what will happen to it, before it happens. */
export function ConfirmDialog({ session, command: kind, onClose, onDone }: Props) {
  const name = session.sessionName;
  const command = useSessionCommand(name);
  const { title, text, action } =
    texts.sessions.confirm[kind === "delete" && !session.linked ? "remove" : kind];
  const carryOut = () =>
    command.mutate(
      { kind },
      {
        onSuccess: () => {
          onClose();
          onDone?.();
        },
      },
    );
  return (
    <Dialog title={title(name)} description={text} onClose={onClose}>
      <div className="space-y-4">
        <ProblemNotice error={command.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button variant="outline" onClick={onClose}>
            {texts.app.cancel}
          </Button>
          <Button
            variant={kind === "disconnect" ? "primary" : "danger"}
            disabled={command.isPending}
            onClick={carryOut}
          >
            {command.isPending && <Spinner />}
            {command.isPending ? texts.sessions.working : action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
