import type { ReactNode } from "react";
import { cn } from "@/lib/utils";

export type Fact = { term: string; fact: ReactNode; wide?: boolean };

/** Terms and what is so, side by side as far as there is room. */
export function Facts({ facts, className }: { facts: Fact[]; className?: string }) {
  return (
    <dl className={cn("grid grid-cols-2 gap-x-6 gap-y-4 text-sm sm:grid-cols-3", className)}>
      {facts.map(({ term, fact, wide }) => (
        <div key={term} className={cn("min-w-0", wide && "col-span-full")}>
          <dt className="text-xs text-muted">{term}</dt>
          <dd className="mt-0.5 break-words">{fact}</dd>
        </div>
      ))}
    </dl>
  );
}
