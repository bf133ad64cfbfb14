import { SignedOutPage } from "@/components/signed-out-page";
import { Button } from "@/components/ui/button";
import { texts } from "@/lib/texts";

export function FailedRoute() {
  return (
    <SignedOutPage title={texts.app.failed}>
      <Button onClick={() => window.location.reload()}>{texts.app.reload}</Button>
    </SignedOutPage>
  );
}
