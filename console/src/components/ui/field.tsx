import { type ComponentProps, useId } from "react";
import { cn } from "@/lib/utils";

type Props = ComponentProps<"input"> & { label: string; help?: string; error?: string | null };

/** A labelled input; its help and its error are read out with it. */
export function Field({ label, help, error, className, ...props }: Props) {
  const id = useId();
  const describedBy = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className="space-y-1.5">
      <label htmlFor={id} className="block text-sm font-medium">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={describedBy || undefined}
        className={cn(
          "h-11 w-full rounded-lg border border-input bg-card px-3 text-base placeholder:text-muted sm:text-sm",
          props.type === "file" &&
            "py-1.5 pl-1.5 file:mr-3 file:h-full file:rounded-md file:bg-raised file:px-3 file:text-sm",
          error && "border-danger",
          className,
        )}
        {...props}
      />
      {help && (
        <p id={`${id}-help`} className="text-sm text-muted">
          {help}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="text-sm font-medium text-danger">
          {error}
        </p>
      )}
    </div>
  );
}
