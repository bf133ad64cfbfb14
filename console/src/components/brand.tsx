import { Link2 } from "lucide-react";
import { texts } from "@/lib/texts";
import { cn } from "@/lib/utils";

export function Brand({ compact }: { compact?: boolean }) {
  return (
    <span className="inline-flex items-center gap-3 font-semibold tracking-tight">
      <span className="grid size-9 shrink-0 place-items-center rounded-xl bg-primary text-on-primary">
        <Link2 aria-hidden className="size-5 -rotate-45" />
      </span>
      <span className={cn(compact && "sr-only lg:not-sr-only")}>{texts.app.name}</span>
    </span>
  );
}
