import { useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { useEffect } from "react";
import { Navigate, Outlet, useLocation } from "react-router";
import { Brand } from "@/components/brand";
import { ConfirmationBar } from "@/components/confirmation-bar";
import { SocketIndicator } from "@/components/socket-indicator";
import { ThemeToggle } from "@/components/theme-toggle";
import { Button } from "@/components/ui/button";
import { Waiting } from "@/components/waiting";
import { signOut } from "@/features/auth/api";
import { refresh, useLogin } from "@/lib/login";
import { texts } from "@/lib/texts";
import { EventStreamProvider } from "./event-stream-provider";

/** The frame of all pages that need a login; it gets one by the refresh cookie first. */
export function Shell() {
  const login = useLogin();
  const location = useLocation();
  const client = useQueryClient();
  useEffect(() => {
    if (login.phase === "checking") void refresh().catch(() => undefined);
    if (login.phase === "signed-out") client.clear();
    if (login.phase !== "unreachable") return;
    const timer = setInterval(() => void refresh().catch(() => undefined), 3_000);
    return () => clearInterval(timer);
  }, [login.phase, client]);
  if (login.phase === "signed-out")
    return <Navigate to="/login" replace state={{ from: location.pathname + location.search }} />;
  if (login.phase !== "signed-in")
    return (
      <main className="grid min-h-dvh place-items-center">
        <Waiting text={login.phase === "checking" ? texts.login.checking : texts.login.unreachable} />
      </main>
    );
  return (
    <EventStreamProvider>
      <Header username={login.username} />
      <main
        id="content"
        tabIndex={-1}
        className="mx-auto w-full max-w-6xl px-4 py-5 outline-none sm:px-6 sm:py-8"
      >
        <Outlet />
      </main>
      <ConfirmationBar />
    </EventStreamProvider>
  );
}

function Header({ username }: { username: string | null }) {
  return (
    <header className="border-b border-border bg-card">
      <a
        href="#content"
        className="absolute left-2 -top-20 z-30 rounded-lg bg-primary px-4 py-2 text-on-primary focus:top-2"
      >
        {texts.app.skip}
      </a>
      <div className="mx-auto flex h-16 max-w-6xl items-center justify-between gap-3 px-4 sm:px-6">
        <Brand compact />
        <div className="flex items-center gap-1 sm:gap-2">
          <SocketIndicator />
          <ThemeToggle />
          {username && (
            <span
              className="hidden max-w-40 truncate text-sm text-muted md:block"
              title={texts.login.signedInAs(username)}
            >
              {username}
            </span>
          )}
          <Button
            variant="ghost"
            className="px-3"
            aria-label={texts.login.signOut}
            onClick={() => void signOut()}
          >
            <LogOut aria-hidden />
            <span className="hidden sm:inline">{texts.login.signOut}</span>
          </Button>
        </div>
      </div>
    </header>
  );
}
