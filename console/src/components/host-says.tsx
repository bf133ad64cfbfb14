import type { Detail } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { reasonText } from "@/lib/texts";

type Props = { reason: string | null; detail: Detail | null };

/** The host's own sentence about a state, where it adds to what our words for its reason say. */
export function HostSays({ reason, detail }: Props) {
  const words = reasonText(reason);
  if (!detail?.message || (words && !words.said)) return null;
  return <span className="block text-sm text-muted break-words">{sentence(detail.message)}</span>;
}
