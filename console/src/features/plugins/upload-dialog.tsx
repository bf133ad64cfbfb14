import { type FormEvent, useState } from "react";
import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Spinner } from "@/components/ui/spinner";
import type { Slot } from "@/lib/api-types";
import { texts } from "@/lib/texts";
import { usePush } from "./api";
import { slotTitle } from "./show";
import { readSignature } from "./signature";

/** Sends a component in, with its signature or with somebody's word for it. */
export function UploadDialog({ slot, onClose }: { slot: Slot; onClose: () => void }) {
  const push = usePush(slot);
  const [component, setComponent] = useState<File | null>(null);
  const [signature, setSignature] = useState<File | null>(null);
  const [accepted, setAccepted] = useState("");
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const words = texts.plugins.upload;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const digest = accepted.trim().toLowerCase();
    const read = signature ? await readSignature(signature) : { base64: null };
    const found = {
      ...(!component && { component: words.componentMissing }),
      ...("wrong" in read && { signature: read.wrong }),
      ...(digest && !/^[0-9a-f]{64}$/.test(digest) && { accepted: words.acceptWrong }),
    };
    setWrong(found);
    if (!component || "wrong" in read || Object.keys(found).length > 0) return;
    push.mutate(
      { component, signature: read.base64, acceptUnsigned: digest || null },
      { onSuccess: onClose },
    );
  };
  return (
    <Dialog title={words.title(slotTitle(slot))} description={words.text} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)} noValidate className="space-y-5">
        <Field
          label={words.component}
          type="file"
          accept=".wasm,application/wasm"
          onChange={(event) => setComponent(event.target.files?.[0] ?? null)}
          error={wrong.component}
        />
        <Field
          label={words.signature}
          help={words.signatureHelp}
          type="file"
          accept=".sig"
          onChange={(event) => setSignature(event.target.files?.[0] ?? null)}
          error={wrong.signature}
        />
        <Field
          label={words.accept}
          help={words.acceptHelp}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={accepted}
          onChange={(event) => setAccepted(event.target.value)}
          error={wrong.accepted}
        />
        <ProblemNotice error={push.error} />
        <div className="flex flex-wrap justify-end gap-3">
          <Button variant="outline" onClick={onClose}>
            {texts.app.cancel}
          </Button>
          <Button type="submit" disabled={push.isPending}>
            {push.isPending && <Spinner />}
            {push.isPending ? words.working : words.action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
