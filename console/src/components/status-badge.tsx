import type { Status } from "@/lib/api-types";
import { isDegraded, statusText } from "@/lib/texts";
import { cn } from "@/lib/utils";

const looks: Record<Status, { badge: string; dot: string }> = {
  DISCONNECTED: { badge: "bg-raised text-muted", dot: "bg-muted" },
  CONNECTING: { badge: "bg-warning-soft text-warning", dot: "bg-warning animate-pulse" },
  QR_READY: { badge: "bg-primary-soft text-primary", dot: "bg-primary" },
  AUTHENTICATED: { badge: "bg-primary-soft text-primary", dot: "bg-primary animate-pulse" },
  CONNECTED: { badge: "bg-success-soft text-success", dot: "bg-success" },
};

const degraded = { badge: "bg-warning-soft text-warning", dot: "bg-warning animate-pulse" };

type Props = { status: Status; reason: string | null; className?: string };

/** A session that is connected and does not answer must not look as one that does. */
export function StatusBadge({ status, reason, className }: Props) {
  const look = isDegraded(status, reason) ? degraded : looks[status];
  return (
    <span
      className={cn(
        "inline-flex items-center gap-2 rounded-full px-3 py-1 text-sm font-medium whitespace-nowrap",
        look.badge,
        className,
      )}
    >
      <span aria-hidden className={cn("size-2 rounded-full", look.dot)} />
      {statusText(status, reason)}
    </span>
  );
}
