import { CircleCheck } from "lucide-react";
import { useConfirmation } from "@/lib/confirmation";

/** Always in the page, so that screen readers notice when a text comes. */
export function ConfirmationBar() {
  const text = useConfirmation();
  return (
    <div role="status" className="pointer-events-none fixed inset-x-0 bottom-6 z-30 flex justify-center px-4">
      {text && (
        <p className="flex items-center gap-2.5 rounded-full border border-border bg-card px-5 py-3 text-sm font-medium shadow-lg">
          <CircleCheck aria-hidden className="size-5 shrink-0 text-success" />
          {text}
        </p>
      )}
    </div>
  );
}
