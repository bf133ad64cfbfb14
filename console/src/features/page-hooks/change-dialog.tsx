import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/spinner";
import { texts } from "@/lib/texts";
import { type Change, useChangeHooks } from "./api";

/** Says what will happen before it does. */
export function ChangeDialog({ change, onClose }: { change: Change; onClose: () => void }) {
  const use = useChangeHooks();
  const words = texts.pageHooks.confirm[change.kind];
  return (
    <Dialog title={words.title} description={words.text} onClose={onClose}>
      <div className="space-y-4">
        <ProblemNotice error={use.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button variant="outline" onClick={onClose}>
            {texts.app.cancel}
          </Button>
          <Button disabled={use.isPending} onClick={() => use.mutate(change, { onSuccess: onClose })}>
            {use.isPending && <Spinner />}
            {use.isPending ? texts.pageHooks.confirm.working : words.action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
