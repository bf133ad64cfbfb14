import { type FormEvent, useState } from "react";
import { ProblemNotice, useSecondsLeft } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Spinner } from "@/components/ui/spinner";
import { looksLikeNumber } from "@/lib/phone-number";
import { fieldError, toProblem } from "@/lib/problem";
import { texts } from "@/lib/texts";

type Props = { pending: boolean; error: unknown; onRequest: (phoneNumber: string) => void };

export function CodeRequest({ pending, error, onRequest }: Props) {
  const [phone, setPhone] = useState("");
  const [missing, setMissing] = useState(false);
  const wait = useSecondsLeft(error ? toProblem(error).retryAt : null);
  const refused = fieldError(error, "phone_invalid");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setMissing(!looksLikeNumber(phone));
    if (looksLikeNumber(phone)) onRequest(phone.trim());
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-4">
      <Field
        label={texts.code.phone}
        help={texts.code.phoneHelp}
        name="phoneNumber"
        type="tel"
        inputMode="tel"
        autoComplete="tel"
        value={phone}
        onChange={(event) => {
          setPhone(event.target.value);
          setMissing(false);
        }}
        error={missing ? texts.code.phoneMissing : refused}
      />
      <ProblemNotice error={refused ? null : error} />
      <Button type="submit" className="w-full sm:w-auto" disabled={pending || (wait ?? 0) > 0}>
        {pending && <Spinner />}
        {pending ? texts.code.requesting : texts.code.request}
      </Button>
    </form>
  );
}
