import { type FormEvent, useState } from "react";
import { ProblemNotice, useSecondsLeft } from "@/components/problem-notice";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Spinner } from "@/components/ui/spinner";
import { toProblem } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { useSignIn } from "./api";

export function LoginForm() {
  const signIn = useSignIn();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const wait = useSecondsLeft(signIn.error ? toProblem(signIn.error).retryAt : null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ username: username.trim(), password });
  };
  return (
    <form onSubmit={submit} className="space-y-5">
      <Field
        label={texts.login.username}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <Field
        label={texts.login.password}
        name="password"
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <ProblemNotice error={signIn.error} />
      <Button type="submit" size="large" className="w-full" disabled={signIn.isPending || (wait ?? 0) > 0}>
        {signIn.isPending && <Spinner />}
        {signIn.isPending ? texts.login.working : texts.login.submit}
      </Button>
    </form>
  );
}
