import { type FormEvent, useState } from "react";
import { ProblemNotice } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Spinner } from "@/components/ui/spinner";
import { fieldError } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { useSetUp } from "./api";
import { checkNewAdmin } from "./new-admin";

export function SetupForm({ token }: { token: string }) {
  const setUp = useSetUp();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [repeated, setRepeated] = useState("");
  const [tried, setTried] = useState(false);
  const wrong = checkNewAdmin(username, password, repeated);
  const refusedName = fieldError(setUp.error, "username_invalid");
  const refusedPassword = fieldError(setUp.error, "password_weak");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(wrong).length === 0) setUp.mutate({ token, username: username.trim(), password });
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-5">
      <Field
        label={texts.login.username}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        value={username}
        onChange={(event) => setUsername(event.target.value)}
        error={(tried ? wrong.username : undefined) ?? refusedName}
      />
      <Field
        label={texts.setup.password}
        name="password"
        type="password"
        autoComplete="new-password"
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        help={texts.setup.rule}
        error={(tried ? wrong.password : undefined) ?? refusedPassword}
      />
      <Field
        label={texts.setup.repeat}
        name="repeated"
        type="password"
        autoComplete="new-password"
        value={repeated}
        onChange={(event) => setRepeated(event.target.value)}
        error={tried ? wrong.repeated : undefined}
      />
      <ProblemNotice error={refusedName || refusedPassword ? null : setUp.error} />
      <Button type="submit" size="large" className="w-full" disabled={setUp.isPending}>
        {setUp.isPending && <Spinner />}
        {setUp.isPending ? texts.setup.working : texts.setup.submit}
      </Button>
    </form>
  );
}
