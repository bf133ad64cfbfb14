import { type FormEvent, useState } from "react";
import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Spinner } from "@/components/ui/spinner";
import { looksLikeNumber } from "@/lib/phone-number";
import { fieldError } from "@/lib/problem";
import { useSessionCommand } from "@/lib/session-queries";
import { texts } from "@/lib/texts";
import { checkSessionName } from "./session-name";

type Props = { taken: string[]; onClose: () => void; onCreated: (name: string) => void };

export function NewSessionDialog({ taken, onClose, onCreated }: Props) {
  const [name, setName] = useState("");
  const [expected, setExpected] = useState("");
  const [tried, setTried] = useState(false);
  const command = useSessionCommand(name.trim());
  const wrongName = checkSessionName(name.trim(), taken);
  const wrongNumber = expected.trim() && !looksLikeNumber(expected) ? texts.code.phoneMissing : null;
  const refusedName = fieldError(command.error, "session_name_invalid");
  const refusedNumber = fieldError(command.error, "phone_invalid");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrongName || wrongNumber) return;
    command.mutate(
      { kind: "init", ...(expected.trim() ? { expectedPhoneNumber: expected.trim() } : {}) },
      {
        onSuccess: () => {
          onClose();
          onCreated(name.trim());
        },
      },
    );
  };
  return (
    <Dialog title={texts.sessions.add} description={texts.sessions.addText} onClose={onClose}>
      <form onSubmit={submit} noValidate className="space-y-5">
        <Field
          label={texts.sessions.name}
          help={texts.sessions.nameRule}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={(tried ? wrongName : null) ?? refusedName}
        />
        <Field
          label={texts.sessions.expected}
          help={texts.sessions.expectedHelp}
          type="tel"
          autoComplete="off"
          value={expected}
          onChange={(event) => setExpected(event.target.value)}
          error={(tried ? wrongNumber : null) ?? refusedNumber}
        />
        <ProblemNotice error={refusedName || refusedNumber ? null : command.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button variant="outline" onClick={onClose}>
            {texts.app.cancel}
          </Button>
          <Button type="submit" disabled={command.isPending}>
            {command.isPending && <Spinner />}
            {command.isPending ? texts.sessions.creating : texts.sessions.create}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
