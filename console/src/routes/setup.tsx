import { KeyRound } from "lucide-react";
import { useState } from "react";
import { Link, Navigate } from "react-router";
import { SignedOutPage } from "@/components/signed-out-page";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { SetupForm } from "@/features/auth/setup-form";
import { useLogin } from "@/lib/login";
import { texts } from "@/lib/texts";

/** The token stands in the fragment, so that it is in no request and no log. */
function tokenFromLink(): string | null {
  return new URLSearchParams(window.location.hash.slice(1)).get("token");
}

export function SetupRoute() {
  const login = useLogin();
  const [token] = useState(tokenFromLink);
  if (login.phase === "signed-in") return <Navigate to="/whatsapp-pairing" replace />;
  return (
    <SignedOutPage title={texts.setup.title} intro={token ? texts.setup.intro : undefined}>
      {token ? (
        <SetupForm token={token} />
      ) : (
        <>
          <Notice tone="warning" icon={<KeyRound aria-hidden />}>
            <p>{texts.setup.noToken}</p>
          </Notice>
          <Button asChild variant="outline">
            <Link to="/login">{texts.login.title}</Link>
          </Button>
        </>
      )}
    </SignedOutPage>
  );
}
