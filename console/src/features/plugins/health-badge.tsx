import { Badge, type Tone } from "@/components/ui/badge";
import type { Health } from "@/lib/api-types";
import { texts } from "@/lib/texts";

const tones: Record<Health["breaker"], Tone> = {
  closed: "success",
  open: "warning",
  "half-open": "primary",
  quarantined: "danger",
};

/** May the version be called? */
export function HealthBadge({ breaker }: { breaker: Health["breaker"] }) {
  const words = texts.plugins.breakers[breaker];
  return (
    <Badge tone={tones[breaker]} title={words?.help}>
      <span aria-hidden className="size-2 rounded-full bg-current" />
      {words?.title ?? breaker}
    </Badge>
  );
}
