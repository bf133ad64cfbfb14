import { useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { Navigate, useLocation } from "react-router";
import { SignedOutPage } from "@/components/signed-out-page";
import { Notice } from "@/components/ui/notice";
import { setupQuery } from "@/features/auth/api";
import { LoginForm } from "@/features/auth/login-form";
import { useLogin } from "@/lib/login";
import { texts } from "@/lib/texts";

export function LoginRoute() {
  const login = useLogin();
  const from = (useLocation().state as { from?: string } | null)?.from;
  const setup = useQuery({ ...setupQuery, enabled: login.phase !== "signed-in" });
  if (login.phase === "signed-in") return <Navigate to={from ?? "/whatsapp-pairing"} replace />;
  return (
    <SignedOutPage title={texts.login.title} intro={texts.app.tagline}>
      {setup.data?.needed && (
        <Notice tone="warning" role="status" icon={<KeyRound aria-hidden />}>
          <p>{texts.login.setupNeeded}</p>
        </Notice>
      )}
      <LoginForm />
      <p className="text-sm text-muted">{texts.login.lost}</p>
    </SignedOutPage>
  );
}
