import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import { account, connected, notStarted, qrReady, session } from "@/testing/fixtures";
import { expectAccessible, renderApp, told, withSessions } from "@/testing/render";

const fake = fakeHost();
const list = () => screen.findByRole("region", { name: "Sessions" });
const done = { success: true, message: "done" };

async function openMenu(name: string) {
  const { user, router } = renderApp("/whatsapp-pairing");
  const button = await within(await list()).findByRole("button", { name: `Actions for ${name}` });
  await user.click(button);
  return { user, router };
}

test("empty: says what a session is", async () => {
  withSessions(fake.host, notStarted());
  renderApp("/whatsapp-pairing");
  expect(await screen.findByText("No sessions yet.")).toBeInTheDocument();
});

test("error: says so beside the rest of the page", async () => {
  withSessions(fake.host, qrReady()).on("GET /whatsapp/sessions", problem(500, "internal"));
  const { user } = renderApp("/whatsapp-pairing");
  const alert = await within(await list()).findByRole("alert");
  withSessions(fake.host, qrReady());
  await user.click(within(alert).getByRole("button", { name: "Try again" }));
  expect(await within(await list()).findByRole("link", { name: /pairing-console/ })).toBeInTheDocument();
});

test("full: each session with its status, and a link to its page", async () => {
  withSessions(fake.host, qrReady(), connected({ sessionName: "shop" }));
  const { user } = renderApp("/whatsapp-pairing");
  const link = await within(await list()).findByRole("link", { name: /shop.*Connected.*Maria Oliveira/ });
  await user.click(link);
  expect(await screen.findByRole("heading", { level: 1, name: "shop" })).toBeInTheDocument();
  expect(link).toHaveAttribute("aria-current", "page");
  await expectAccessible();
});

test("a session whose name is that of a page can be opened all the same", async () => {
  withSessions(fake.host, notStarted(), session({ sessionName: "plugins" }));
  const { user } = renderApp("/whatsapp-pairing");
  await user.click(await within(await list()).findByRole("link", { name: /plugins/ }));
  expect(await screen.findByRole("heading", { level: 1, name: "plugins" })).toBeInTheDocument();
});

test("follows what happens to all sessions, new and deleted ones too", async () => {
  withSessions(fake.host, qrReady(), connected({ sessionName: "shop" }));
  renderApp("/whatsapp-pairing");
  await screen.findByText("Live");
  await within(await list()).findByRole("link", { name: /shop.*Connected/ });
  const stopped = { status: "DISCONNECTED", reason: "stopped", detail: null, account };
  await told("status-update", "shop", stopped, "3");
  expect(within(await list()).getByRole("link", { name: /shop.*Disconnected/ })).toBeInTheDocument();
  await told("session-deleted", "shop", {}, "4");
  expect(within(await list()).queryByRole("link", { name: /shop/ })).not.toBeInTheDocument();
  withSessions(fake.host, qrReady(), session({ sessionName: "branch" }));
  await told("status-update", "branch", { ...stopped, account: null }, "5");
  expect(await within(await list()).findByRole("link", { name: /branch/ })).toBeInTheDocument();
});

test("a new session needs a good name, and opens on its own page", async () => {
  withSessions(fake.host, qrReady(), qrReady({ sessionName: "branch-2" })).on("POST /whatsapp/init", done);
  fake.host.on("GET /whatsapp/sessions", { sessions: [qrReady()] });
  const { user } = renderApp("/whatsapp-pairing");
  await within(await list()).findByRole("link", { name: /pairing-console/ });
  await user.click(screen.getByRole("button", { name: "New session" }));
  const dialog = await screen.findByRole("dialog", { name: "New session" });
  const name = within(dialog).getByLabelText("Session name");
  const create = within(dialog).getByRole("button", { name: "Create and generate code" });
  await user.type(name, "-no");
  await user.click(create);
  expect(name).toBeInvalid();
  expect(within(dialog).getByText(/begin with a letter or digit/)).toBeInTheDocument();
  await expectAccessible();
  await user.clear(name);
  await user.type(name, "branch-2");
  await user.type(within(dialog).getByLabelText(/Expected phone number/), "5511987654321");
  await user.click(create);
  expect(fake.host.bodies("POST /whatsapp/init")).toEqual([
    { sessionName: "branch-2", expectedPhoneNumber: "5511987654321" },
  ]);
  expect(await screen.findByRole("heading", { level: 1, name: "branch-2" })).toBeInTheDocument();
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
});

test("logging out is asked about first, because the link is lost", async () => {
  const call = "POST /whatsapp/sessions/shop/logout";
  withSessions(fake.host, qrReady(), connected({ sessionName: "shop" })).on(call, done);
  const { user } = await openMenu("shop");
  await user.click(await screen.findByRole("menuitem", { name: "Log out" }));
  const dialog = await screen.findByRole("dialog", { name: "Log out shop?" });
  expect(fake.host.bodies(call)).toEqual([]);
  await expectAccessible();
  await user.click(within(dialog).getByRole("button", { name: "Log out" }));
  expect(fake.host.bodies(call)).toEqual([{ confirm: true }]);
  expect(await screen.findByText("shop is logged out")).toBeInTheDocument();
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
});

test("what is cancelled is not done", async () => {
  withSessions(fake.host, qrReady(), connected({ sessionName: "shop" }));
  const { user } = await openMenu("shop");
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  const dialog = await screen.findByRole("dialog", { name: "Delete shop?" });
  expect(dialog).toHaveTextContent("The link to the phone is removed");
  await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  expect(fake.host.asked.some((asked) => asked.method === "DELETE")).toBe(false);
});

test("deleting is confirmed to the host, and leads away from the session", async () => {
  withSessions(fake.host, notStarted(), session({ sessionName: "shop", reason: "parked" }));
  fake.host.on("DELETE /whatsapp/sessions/shop", done);
  const { user, router } = renderApp("/whatsapp-pairing/shop");
  await user.click(await within(await list()).findByRole("button", { name: "Actions for shop" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("No phone is linked to it");
  await user.click(within(dialog).getByRole("button", { name: "Delete session" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/whatsapp-pairing"));
  const asked = fake.host.asked.find((one) => one.method === "DELETE");
  expect(asked?.query.get("confirm")).toBe("true");
});

test("a refusal stays in the dialog", async () => {
  withSessions(fake.host, qrReady(), connected({ sessionName: "shop" }));
  fake.host.on(
    "POST /whatsapp/sessions/shop/logout",
    problem(503, "engine_unavailable", "the browser is starting"),
  );
  const { user } = await openMenu("shop");
  await user.click(await screen.findByRole("menuitem", { name: "Log out" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Log out" }));
  expect(await within(dialog).findByRole("alert")).toHaveTextContent("The browser is starting.");
});

test("without a link, disconnecting loses nothing and is done at once", async () => {
  const call = "POST /whatsapp/sessions/pairing-console/disconnect";
  withSessions(fake.host, qrReady()).on(call, done);
  const { user } = await openMenu("pairing-console");
  expect(screen.queryByRole("menuitem", { name: "Log out" })).not.toBeInTheDocument();
  await user.click(await screen.findByRole("menuitem", { name: "Disconnect" }));
  expect(fake.host.bodies(call)).toHaveLength(1);
  expect(await screen.findByText("pairing-console is disconnected")).toBeInTheDocument();
});

test("reconnecting that fails is told above the list", async () => {
  withSessions(
    fake.host,
    qrReady(),
    session({ sessionName: "shop", account, linked: true, reason: "stopped" }),
  );
  fake.host.on(
    "POST /whatsapp/sessions/shop/reconnect",
    problem(503, "engine_unavailable", "no memory is left"),
  );
  const { user } = await openMenu("shop");
  await user.click(await screen.findByRole("menuitem", { name: "Reconnect" }));
  expect(await within(await list()).findByRole("alert")).toHaveTextContent("No memory is left.");
});
