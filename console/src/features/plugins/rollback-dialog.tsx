import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Choices } from "@/components/ui/choices";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Spinner } from "@/components/ui/spinner";
import type { Activated, PluginChange, PluginVersion, SlotReport } from "@/lib/api-types";
import { texts } from "@/lib/texts";
import { changesQuery, useRollBack, versionsQuery } from "./api";
import { shortDigest, slotTitle, versionName } from "./show";

/** The host goes back to one of the last ten. */
const CHOICES = 10;

/** Which versions a slot can go back to: those that were active, the latest first. */
export function earlierVersions(changes: PluginChange[], versions: PluginVersion[], active: string) {
  const digests = new Set(changes.filter((change) => change.refusal === null).map((change) => change.from));
  return [...digests]
    .filter((digest) => digest !== null && digest !== active)
    .flatMap((digest) => versions.find((version) => version.digest === digest) ?? [])
    .slice(0, CHOICES);
}

/** The empty choice leaves it to the host. */
const BEFORE = "";

type Props = { slot: SlotReport; onClose: () => void; onDone: (answer: Activated) => void };

export function RollbackDialog({ slot, onClose, onDone }: Props) {
  const changes = useInfiniteQuery(changesQuery(slot.slot));
  const versions = useQuery(versionsQuery(slot.slot));
  const rollBack = useRollBack(slot.slot);
  const [to, setTo] = useState(BEFORE);
  const [why, setWhy] = useState("");
  const words = texts.plugins.rollback;
  const earlier = earlierVersions(
    changes.data?.pages.flatMap((page) => page.changes) ?? [],
    versions.data?.versions ?? [],
    slot.digest,
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rollBack.mutate(
      { ...(to !== BEFORE && { to }), ...(why.trim() && { why: why.trim() }) },
      {
        onSuccess: (answer) => {
          onClose();
          onDone(answer);
        },
      },
    );
  };
  return (
    <Dialog title={words.title(slotTitle(slot.slot))} description={words.text} onClose={onClose}>
      <form onSubmit={submit} className="space-y-5">
        <Choices
          label={words.to}
          value={to}
          onChange={setTo}
          choices={[
            { value: BEFORE, text: slot.canary ? words.endTrial : words.before },
            ...earlier.map((one) => ({
              value: one.digest,
              text: `${versionName(one)} (${shortDigest(one.digest)})`,
            })),
          ]}
        />
        <Field
          label={texts.plugins.activate.why}
          help={texts.plugins.activate.whyHelp}
          autoComplete="off"
          maxLength={500}
          value={why}
          onChange={(event) => setWhy(event.target.value)}
        />
        <ProblemNotice error={rollBack.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button variant="outline" onClick={onClose}>
            {texts.app.cancel}
          </Button>
          <Button type="submit" disabled={rollBack.isPending}>
            {rollBack.isPending && <Spinner />}
            {rollBack.isPending ? words.working : words.action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
