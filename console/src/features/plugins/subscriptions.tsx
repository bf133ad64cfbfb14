import { Badge, type Tone } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import type { SubscriptionSummary } from "@/lib/api-types";
import { sentence } from "@/lib/problem";
import { texts } from "@/lib/texts";

const words = texts.plugins.subscriptions;

/** Who gets a handler's events, and how far each has come. */
export function Subscriptions({ subscriptions }: { subscriptions: SubscriptionSummary[] | null }) {
  return (
    <Card aria-labelledby="subscriptions-title" className="space-y-3">
      <div>
        <h2 id="subscriptions-title" className="text-base font-semibold">
          {words.title}
        </h2>
        <p className="text-sm text-muted">{words.help}</p>
      </div>
      {subscriptions === null && <p className="text-sm text-muted">{words.unknown}</p>}
      {subscriptions?.length === 0 && <p className="text-sm text-muted">{words.empty}</p>}
      <ul className="divide-y divide-border">
        {subscriptions?.map((one) => (
          <li key={one.name} className="space-y-1 py-3 text-sm">
            <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
              <span className="font-medium break-all">{one.name}</span>
              <Badge tone={tone(one)}>{state(one)}</Badge>
              <span className="text-muted tabular-nums">{counts(one)}</span>
            </p>
            {one.disabled !== null && (
              <p className="text-muted break-words whitespace-pre-line">{sentence(one.disabled)}</p>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function state(one: SubscriptionSummary): string {
  if (one.disabled !== null) return words.off;
  return one.lagging > 0 ? words.waiting : words.on;
}

function tone(one: SubscriptionSummary): Tone {
  if (one.disabled !== null) return "danger";
  return one.lagging > 0 || one.deadLetters > 0 ? "warning" : "success";
}

function counts(one: SubscriptionSummary): string {
  const facts = [words.lag(one.lag)];
  if (one.lagging > 0) facts.push(words.lagging(one.lagging));
  if (one.deadLetters > 0) facts.push(words.deadLetters(one.deadLetters));
  return facts.join(" · ");
}
