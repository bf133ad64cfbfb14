import { Hourglass } from "lucide-react";
import type { QueuePlace as Place } from "@/lib/api-types";
import { texts } from "@/lib/texts";
import { Notice } from "./ui/notice";

/** Where a session stands that waits for its browser, and what it waits for. */
export function QueuePlace({ place }: { place: Place }) {
  return (
    <Notice
      role="status"
      className="w-full text-left"
      icon={<Hourglass aria-hidden />}
      title={texts.queue.place(place.position, place.waiting)}
    >
      <p>{texts.queue.reasons[place.reason] ?? texts.queue.reasons.starting}</p>
    </Notice>
  );
}
