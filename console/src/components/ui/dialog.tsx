import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { texts } from "@/lib/texts";
import { Button } from "./button";

type Props = { title: string; description?: ReactNode; onClose: () => void; children: ReactNode };

/**
 * The browser's own modal dialog: it holds the focus, closes on Escape and gives the
 * focus back. Radix's locks scrolling by a <style> element, which the host's content
 * security policy forbids.
 */
export function Dialog({ title, description, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    const opener = document.activeElement;
    if (element && !element.open) element.showModal();
    return () => {
      element?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={`${id}-title`}
      aria-describedby={description ? `${id}-text` : undefined}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      className="m-auto w-[min(28rem,calc(100vw-2rem))] rounded-2xl border border-border bg-card p-6 text-foreground shadow-xl"
    >
      <div className="mb-4 flex items-start justify-between gap-4">
        <div className="min-w-0 space-y-2">
          <h2 id={`${id}-title`} className="text-lg font-semibold break-words">
            {title}
          </h2>
          {description && (
            <p id={`${id}-text`} className="text-sm text-muted">
              {description}
            </p>
          )}
        </div>
        <Button
          variant="ghost"
          size="icon"
          className="-mt-2 -mr-2"
          aria-label={texts.app.close}
          onClick={onClose}
        >
          <X aria-hidden />
        </Button>
      </div>
      {children}
    </dialog>
  );
}
