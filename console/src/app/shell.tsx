import { useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { useEffect } from "react";
import { Link, Navigate, Outlet, useLocation } from "react-router";
import { Alerts } from "@/components/alerts";
import { Brand } from "@/components/brand";
import { ConfirmationBar } from "@/components/confirmation-bar";
import { SocketIndicator } from "@/components/socket-indicator";
import { ThemeToggle } from "@/components/theme-toggle";
import { Button } from "@/components/ui/button";
import { Waiting } from "@/components/waiting";
import { signOut } from "@/features/auth/api";
import { forgetAlerts } from "@/lib/alerts";
import { refresh, useLogin } from "@/lib/login";
import { texts } from "@/lib/texts";
import { cn } from "@/lib/utils";
import { EventStreamProvider } from "./event-stream-provider";

/** The frame of all pages that need a login; it gets one by the refresh cookie first. */
export function Shell() {
  const login = useLogin();
  const location = useLocation();
  const client = useQueryClient();
  useEffect(() => {
    if (login.phase === "checking") void refresh().catch(() => undefined);
    if (login.phase === "signed-out") {
      client.clear();
      forgetAlerts();
    }
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
      <Alerts />
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
      <div className="mx-auto flex min-h-16 max-w-6xl flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3 sm:py-0 sm:gap-x-6 sm:px-6">
        <Brand compact />
        <Pages />
        <div className="ml-auto flex items-center gap-1 sm:gap-2">
          <SocketIndicator />
          <ThemeToggle />
          {username && (
            <span
              className="hidden max-w-40 truncate text-sm text-muted lg:block"
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

const PLUGINS = "/whatsapp-pairing/plugins";
const PAGE_HOOKS = "/whatsapp-pairing/page";

/** In a row of their own where the header is narrow. */
function Pages() {
  const { pathname } = useLocation();
  const onPlugins = pathname === PLUGINS || pathname.startsWith(`${PLUGINS}/`);
  const onPageHooks = pathname === PAGE_HOOKS;
  const pages = [
    { to: "/whatsapp-pairing", text: texts.app.sessions, current: !onPlugins && !onPageHooks },
    { to: PLUGINS, text: texts.app.plugins, current: onPlugins },
    { to: PAGE_HOOKS, text: texts.app.pageHooks, current: onPageHooks },
  ];
  return (
    <nav
      aria-label={texts.app.pages}
      className="order-last flex basis-full gap-1 sm:order-none sm:basis-auto"
    >
      {pages.map(({ to, text, current }) => (
        <Link
          key={to}
          to={to}
          aria-current={current ? "page" : undefined}
          className={cn(
            "flex h-10 flex-1 items-center justify-center rounded-lg px-3 text-sm font-medium whitespace-nowrap hover:bg-raised",
            current ? "bg-raised text-foreground" : "text-muted",
          )}
        >
          {text}
        </Link>
      ))}
    </nav>
  );
}
