import { Link } from "react-router";
import { SignedOutPage } from "@/components/signed-out-page";
import { Button } from "@/components/ui/button";
import { texts } from "@/lib/texts";

export function NotFoundRoute() {
  return (
    <SignedOutPage title={texts.app.notFound}>
      <Button asChild>
        <Link to="/whatsapp-pairing">{texts.app.toConsole}</Link>
      </Button>
    </SignedOutPage>
  );
}
