import { type FormEvent, useState } from "react";
import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Choices } from "@/components/ui/choices";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Spinner } from "@/components/ui/spinner";
import type { Activated, PluginVersion, Slot } from "@/lib/api-types";
import { texts } from "@/lib/texts";
import { useActivate } from "./api";
import { shortDigest, versionName } from "./show";

/** Percent; the steps of a trial. */
const SHARES = [1, 10, 50];
const EVERYONE = "100";

type Props = {
  slot: Slot;
  version: PluginVersion;
  onClose: () => void;
  onActivated: (answer: Activated) => void;
};

export function ActivateDialog({ slot, version, onClose, onActivated }: Props) {
  const activate = useActivate(slot);
  const [share, setShare] = useState(EVERYONE);
  const [why, setWhy] = useState("");
  const words = texts.plugins.activate;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    activate.mutate(
      {
        digest: version.digest,
        ...(share !== EVERYONE && { canary: Number(share) }),
        ...(why.trim() && { why: why.trim() }),
      },
      {
        onSuccess: (answer) => {
          onClose();
          onActivated(answer);
        },
      },
    );
  };
  return (
    <Dialog
      title={words.title(versionName(version), shortDigest(version.digest))}
      description={words.text}
      onClose={onClose}
    >
      <form onSubmit={submit} className="space-y-5">
        <Choices
          label={words.share}
          value={share}
          onChange={setShare}
          choices={[
            { value: EVERYONE, text: words.everyone },
            ...SHARES.map((one) => ({ value: `${one}`, text: words.percent(one) })),
          ]}
        />
        <Field
          label={words.why}
          help={words.whyHelp}
          autoComplete="off"
          maxLength={500}
          value={why}
          onChange={(event) => setWhy(event.target.value)}
        />
        <ProblemNotice error={activate.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button variant="outline" onClick={onClose}>
            {texts.app.cancel}
          </Button>
          <Button type="submit" disabled={activate.isPending}>
            {activate.isPending && <Spinner />}
            {activate.isPending ? words.working : share === EVERYONE ? words.action : words.actionCanary}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
