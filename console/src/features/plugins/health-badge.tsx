import { Badge, type Tone } from "@/components/ui/badge";
import { texts } from "@/lib/texts";
import type { Breaker } from "./types";

const tones: Record<Breaker, Tone> = {
  closed: "success",
  open: "warning",
  "half-open": "primary",
  quarantined: "danger",
};

/** May the version be called? */
export function HealthBadge({ breaker }: { breaker: Breaker }) {
  const words = texts.plugins.breakers[breaker];
  return (
    <Badge tone={tones[breaker]} title={words?.help}>
      <span aria-hidden className="size-2 rounded-full bg-current" />
      {words?.title ?? breaker}
    </Badge>
  );
}
