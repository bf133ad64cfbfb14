import type { ReactNode } from "react";
import { texts } from "@/lib/texts";
import { Brand } from "./brand";
import { ThemeToggle } from "./theme-toggle";
import { Card } from "./ui/card";

/** The frame of the pages before sign-in. */
export function SignedOutPage({
  title,
  intro,
  children,
}: {
  title: string;
  intro?: string;
  children: ReactNode;
}) {
  return (
    <div className="flex min-h-dvh flex-col">
      <title>{`${title} · ${texts.app.name}`}</title>
      <header className="flex items-center justify-between p-4 sm:p-6">
        <Brand />
        <ThemeToggle />
      </header>
      <main className="flex flex-1 items-start justify-center px-4 pt-[8vh] pb-16">
        <Card className="w-full max-w-md space-y-6 sm:p-8">
          <div className="space-y-2">
            <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
            {intro && <p className="text-sm text-muted">{intro}</p>}
          </div>
          {children}
        </Card>
      </main>
    </div>
  );
}
