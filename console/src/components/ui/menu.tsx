import { DropdownMenu } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/utils";

/**
 * A menu under its button, and beside it in the document, so that it stands within a landmark.
 * Not modal: a modal one would add a <style> element, see dialog.tsx.
 */
export function Menu({ trigger, children }: { trigger: ReactNode; children: ReactNode }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Content
        align="end"
        sideOffset={6}
        className="z-20 min-w-44 rounded-xl border border-border bg-card p-1 text-sm shadow-lg"
      >
        {children}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

type ItemProps = ComponentProps<typeof DropdownMenu.Item> & { danger?: boolean };

export function MenuItem({ danger, className, ...props }: ItemProps) {
  return (
    <DropdownMenu.Item
      className={cn(
        "flex items-center gap-2.5 rounded-lg px-3 py-2 outline-none data-disabled:opacity-50 data-highlighted:bg-raised",
        "[&_svg]:size-4",
        danger && "text-danger",
        className,
      )}
      {...props}
    />
  );
}
