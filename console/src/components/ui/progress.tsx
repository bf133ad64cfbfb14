import { Progress as Primitive } from "radix-ui";
import { cn } from "@/lib/utils";

/** A bar of 0 to 100; null where nothing is known but that it goes on. */
export function Progress({ value, label }: { value: number | null; label: string }) {
  return (
    <Primitive.Root
      value={value}
      aria-label={label}
      className="h-2 w-full overflow-hidden rounded-full bg-raised"
    >
      <Primitive.Indicator
        className={cn(
          "h-full rounded-full bg-primary transition-[width] duration-500",
          value === null && "w-1/3 animate-slide",
        )}
        style={value === null ? undefined : { width: `${value}%` }}
      />
    </Primitive.Root>
  );
}
