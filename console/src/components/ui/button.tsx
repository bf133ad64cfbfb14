import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/lib/utils";

const variants = {
  primary: "bg-primary text-on-primary hover:bg-primary-strong shadow-sm",
  outline: "border border-border bg-card hover:bg-raised",
  ghost: "hover:bg-raised",
  danger: "bg-danger-strong text-on-danger hover:opacity-90 shadow-sm",
};

const sizes = {
  medium: "h-10 px-4 text-sm",
  large: "h-12 px-6 text-base",
  icon: "size-10",
};

type Props = ComponentProps<"button"> & {
  variant?: keyof typeof variants;
  size?: keyof typeof sizes;
  asChild?: boolean;
};

export function Button({ variant = "primary", size = "medium", asChild, className, ...props }: Props) {
  const Element = asChild ? Slot.Root : "button";
  return (
    <Element
      type={asChild ? undefined : "button"}
      className={cn(
        "inline-flex shrink-0 items-center justify-center gap-2 rounded-lg font-medium transition-colors",
        "disabled:cursor-not-allowed disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0",
        variants[variant],
        sizes[size],
        className,
      )}
      {...props}
    />
  );
}
