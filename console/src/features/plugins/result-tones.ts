import type { Tone } from "@/components/ui/badge";
import type { ReplayResult } from "@/lib/api-types";

/** Each way in which the replay of a history can end, from best to worst. */
export const resultTones: Record<ReplayResult, Tone> = {
  identical: "success",
  differs: "warning",
  "state-rejected": "warning",
  trapped: "danger",
  "over-budget": "danger",
};
