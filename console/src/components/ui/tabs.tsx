import { Tabs as Primitive } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/lib/utils";

export const Tabs = Primitive.Root;

export function TabsList({ className, ...props }: ComponentProps<typeof Primitive.List>) {
  return (
    <Primitive.List
      className={cn("grid auto-cols-fr grid-flow-col gap-1 rounded-xl bg-raised p-1", className)}
      {...props}
    />
  );
}

export function TabsTrigger({ className, ...props }: ComponentProps<typeof Primitive.Trigger>) {
  return (
    <Primitive.Trigger
      className={cn(
        "flex h-9 items-center justify-center gap-2 rounded-lg px-2 sm:px-3 text-sm font-medium whitespace-nowrap text-muted transition-colors",
        "data-[state=active]:bg-card data-[state=active]:text-foreground data-[state=active]:shadow-sm [&_svg]:size-4 max-sm:[&_svg]:hidden",
        className,
      )}
      {...props}
    />
  );
}

export const TabsContent = Primitive.Content;
