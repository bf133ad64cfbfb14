import { useSocketState } from "@/lib/socket-state";
import { texts } from "@/lib/texts";
import { cn } from "@/lib/utils";

const dots = {
  connecting: "bg-warning animate-pulse",
  live: "bg-success",
  reconnecting: "bg-warning animate-pulse",
  offline: "bg-danger-strong",
};

export function SocketIndicator() {
  const state = useSocketState();
  const { label, help } = texts.socket[state];
  return (
    <span role="status" title={help} className="inline-flex items-center gap-2 px-1 text-sm text-muted">
      <span aria-hidden className={cn("size-2 rounded-full", dots[state])} />
      {label}
      <span className="sr-only">: {help}</span>
    </span>
  );
}
