import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/spinner";
import { useSessionCommand } from "@/lib/session-queries";
import { texts } from "@/lib/texts";

export type Confirmable = keyof typeof texts.sessions.confirm;

type Props = { name: string; what: Confirmable; onClose: () => void; onDone?: () => void };

/** Names the session and what will happen to it, before it happens. */
export function ConfirmDialog({ name, what, onClose, onDone }: Props) {
  const command = useSessionCommand(name);
  const { title, text, action } = texts.sessions.confirm[what];
  const carryOut = () =>
    command.mutate(
      { kind: what },
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
            variant={what === "disconnect" ? "primary" : "danger"}
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
