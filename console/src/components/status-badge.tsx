import type { Status } from "@/lib/api-types";
import { texts } from "@/lib/texts";
import { cn } from "@/lib/utils";

const looks: Record<Status, { badge: string; dot: string }> = {
  DISCONNECTED: { badge: "bg-raised text-muted", dot: "bg-muted" },
  CONNECTING: { badge: "bg-warning-soft text-warning", dot: "bg-warning animate-pulse" },
  QR_READY: { badge: "bg-primary-soft text-primary", dot: "bg-primary" },
  AUTHENTICATED: { badge: "bg-primary-soft text-primary", dot: "bg-primary animate-pulse" },
  CONNECTED: { badge: "bg-success-soft text-success", dot: "bg-success" },
};

export function StatusBadge({ status, className }: { status: Status; className?: string }) {
  return (
    <span
      className={cn(
        "inline-flex items-center gap-2 rounded-full px-3 py-1 text-sm font-medium whitespace-nowrap",
        looks[status].badge,
        className,
      )}
    >
      <span aria-hidden className={cn("size-2 rounded-full", looks[status].dot)} />
      {texts.status[status]}
    </span>
  );
}
