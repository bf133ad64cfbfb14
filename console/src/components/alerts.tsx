import { TriangleAlert, X } from "lucide-react";
import { type Alert, putAway, useAlerts } from "@/lib/alerts";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";
import { Button } from "./ui/button";
import { Notice } from "./ui/notice";

/** What host and sessions warn of, above every page. */
export function Alerts() {
  const alerts = useAlerts();
  return (
    // Always in the page, so that screen readers notice when an alert comes.
    <div aria-live="polite">
      {alerts.length > 0 && (
        <section
          aria-label={texts.alerts.region}
          className="mx-auto w-full max-w-6xl space-y-2 px-4 pt-4 sm:px-6"
        >
          {alerts.map((alert) => (
            <AlertNotice key={alert.key} alert={alert} />
          ))}
        </section>
      )}
    </div>
  );
}

function AlertNotice({ alert }: { alert: Alert }) {
  return (
    <Notice
      tone="warning"
      icon={<TriangleAlert aria-hidden />}
      title={texts.alerts.titles[alert.code] ?? texts.alerts.title}
    >
      <div className="flex items-start justify-between gap-3">
        <p className="min-w-0 break-words">
          {alert.session && <span className="font-medium">{alert.session}: </span>}
          {sentence(alert.message)}
        </p>
        <Button
          variant="ghost"
          size="icon"
          className="-my-3 shrink-0"
          aria-label={texts.alerts.putAway}
          onClick={() => putAway(alert.key)}
        >
          <X aria-hidden />
        </Button>
      </div>
    </Notice>
  );
}
