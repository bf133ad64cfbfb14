import { QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { createMemoryRouter, RouterProvider } from "react-router";
import { expect, vi } from "vitest";
import { makeQueryClient } from "@/app/query-client";
import { routes } from "@/app/router";
import type { SessionStatus } from "@/lib/api-types";
import type { FakeHost } from "./fake-host";
import { FakeSocket } from "./fake-socket";
import { login, soon } from "./fixtures";

let client = makeQueryClient();

/** The whole console at this path. */
export function renderApp(path: string) {
  FakeSocket.opened = [];
  FakeSocket.polite = true;
  vi.stubGlobal("WebSocket", FakeSocket);
  client = makeQueryClient();
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  const user = userEvent.setup();
  render(
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return { user, router };
}

/** A signed-in person, and these sessions. The first is the one on the page. */
export function withSessions(host: FakeHost, ...sessions: SessionStatus[]): FakeHost {
  host
    .on("POST /auth/refresh", login)
    .on("POST /auth/ws-ticket", () => ({ ticket: "ticket-1", expiresAt: soon(30) }))
    .on("GET /whatsapp/sessions", {
      sessions: sessions
        .filter((one) => one.createdAt)
        .map((one) => ({ ...one, qrCode: null, pairingCode: null })),
    });
  for (const one of sessions) {
    host
      .on(`GET /whatsapp/status/${one.sessionName}`, one)
      .on(`GET /whatsapp/sessions/${one.sessionName}/history`, { history: [], next: null });
  }
  return host;
}

/** The host says something by the socket, once the page is up and has asked all it asks at first. */
export async function told(type: string, sessionName: string, data: unknown, id: string | null = "2") {
  await screen.findByText("Live");
  await waitFor(() => expect(client.isFetching()).toBe(0));
  await act(async () => {
    FakeSocket.last.event(type, sessionName, data, id);
    // The query cache tells its observers in a task of its own.
    await new Promise((resolve) => setTimeout(resolve));
  });
}

/** Contrast is judged in a real browser (e2e): jsdom has no colours. */
export async function expectAccessible() {
  const found = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
  expect(found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`)).toEqual(
    [],
  );
}
