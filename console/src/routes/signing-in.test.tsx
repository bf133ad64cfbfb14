import { screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import { login, qrReady } from "@/testing/fixtures";
import { expectAccessible, renderApp, withSessions } from "@/testing/render";

const fake = fakeHost();
const PASSWORD = "four calm turtles paint windows";

beforeEach(() => {
  withSessions(fake.host, qrReady())
    .on("POST /auth/refresh", problem(401, "unauthorized"))
    .on("GET /auth/setup", { needed: false });
  window.location.hash = "";
});

async function fill(fields: Record<string, string>, button: string) {
  const { user } = renderApp(window.location.hash ? "/setup" : "/whatsapp-pairing");
  for (const [label, text] of Object.entries(fields))
    await user.type(await screen.findByLabelText(label), text);
  await user.click(screen.getByRole("button", { name: button }));
  return user;
}

test("who is not signed in is asked to, and then is where they wanted to go", async () => {
  withSessions(fake.host, qrReady({ sessionName: "shop" })).on(
    "POST /auth/refresh",
    problem(401, "unauthorized"),
  );
  fake.host.on("POST /auth/login", login);
  const { user, router } = renderApp("/whatsapp-pairing/shop");
  await user.type(await screen.findByLabelText("User name"), " maria ");
  await expectAccessible();
  await user.type(screen.getByLabelText("Password"), PASSWORD);
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await waitFor(() => expect(router.state.location.pathname).toBe("/whatsapp-pairing/shop"));
  expect(fake.host.bodies("POST /auth/login")).toEqual([{ username: "maria", password: PASSWORD }]);
  expect(await screen.findByText("maria")).toBeInTheDocument();
  const status = fake.host.asked.find((asked) => asked.path === "/whatsapp/status/shop");
  expect(status?.token).toBe("Bearer a.b.c");
});

test("a wrong password is told in one sentence", async () => {
  fake.host.on("POST /auth/login", problem(401, "login_failed", "name or password is wrong"));
  await fill({ "User name": "maria", Password: "wrong" }, "Sign in");
  expect((await screen.findByRole("alert")).textContent).toBe("User name or password is wrong");
});

test("after too many tries the form waits", async () => {
  fake.host.on("POST /auth/login", problem(429, "rate_limited", "the limit is 3", 20));
  await fill({ "User name": "maria", Password: "wrong" }, "Sign in");
  expect(await screen.findByRole("alert")).toHaveTextContent(/try again in 0:(20|19)/);
  expect(screen.getByRole("button", { name: "Sign in" })).toBeDisabled();
});

test("on a fresh host the sign-in page points to the set-up link", async () => {
  fake.host.on("GET /auth/setup", { needed: true });
  renderApp("/login");
  expect(await screen.findByText(/one-time set-up link/)).toBeInTheDocument();
});

test("the set-up link makes the first administrator, who is signed in at once", async () => {
  window.location.hash = "#token=secret";
  fake.host.on("POST /auth/setup", login);
  await fill(
    { "User name": "maria", Password: PASSWORD, "Repeat the password": PASSWORD },
    "Create administrator",
  );
  expect(await screen.findByRole("heading", { level: 1, name: "pairing-console" })).toBeInTheDocument();
  expect(fake.host.bodies("POST /auth/setup")).toEqual([
    { token: "secret", username: "maria", password: PASSWORD },
  ]);
});

test("a short password and a wrong repetition are told at their fields", async () => {
  window.location.hash = "#token=secret";
  await fill(
    { "User name": "maria", Password: "short", "Repeat the password": "shorter" },
    "Create administrator",
  );
  expect(await screen.findByText("Add 10 more characters.")).toBeInTheDocument();
  expect(screen.getByLabelText("Password")).toBeInvalid();
  await expectAccessible();
});

test("a password that the host finds weak is told at its field", async () => {
  window.location.hash = "#token=secret";
  fake.host.on("POST /auth/setup", problem(400, "password_weak", "it is on a list of common passwords"));
  const weak = "passwordpassword";
  await fill({ "User name": "maria", Password: weak, "Repeat the password": weak }, "Create administrator");
  expect(await screen.findByText("It is on a list of common passwords.")).toBeInTheDocument();
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("a spent link says how to get another", async () => {
  window.location.hash = "#token=old";
  fake.host.on("POST /auth/setup", problem(404, "setup_done"));
  await fill(
    { "User name": "maria", Password: PASSWORD, "Repeat the password": PASSWORD },
    "Create administrator",
  );
  expect(await screen.findByRole("alert")).toHaveTextContent("This link is spent");
});

test("without its secret part the link is not enough", async () => {
  renderApp("/setup");
  expect(await screen.findByText(/including the part after #/)).toBeInTheDocument();
  await expectAccessible();
});

test("a host that restarts is waited for, and nobody is signed out", async () => {
  fake.host.on("POST /auth/refresh", () => Promise.reject(new TypeError("refused")));
  renderApp("/whatsapp-pairing");
  expect(await screen.findByText("The host can't be reached. Trying again…")).toBeInTheDocument();
  fake.host.on("POST /auth/refresh", login);
  expect(await screen.findByText("Live", {}, { timeout: 10_000 })).toBeInTheDocument();
});

test("a token that ends while the page is open is renewed without a word", async () => {
  let renewals = 0;
  fake.host
    .on("POST /auth/refresh", () => ({ ...login(), accessToken: `token-${++renewals}` }))
    .on("POST /whatsapp/sessions/pairing-console/refresh-qr", ({ token }: { token: string }) =>
      token === "Bearer token-1" ? problem(401, "unauthorized")() : { success: true, message: "done" },
    );
  const { user } = renderApp("/whatsapp-pairing");
  await user.click(await screen.findByRole("button", { name: "Refresh QR code" }));
  await waitFor(() =>
    expect(fake.host.bodies("POST /whatsapp/sessions/pairing-console/refresh-qr")).toHaveLength(2),
  );
  expect(renewals).toBe(2);
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("signing out forgets everything", async () => {
  fake.host.on("POST /auth/refresh", login).on("POST /auth/logout", null);
  const { user } = renderApp("/whatsapp-pairing");
  await user.click(await screen.findByRole("button", { name: "Sign out" }));
  expect(await screen.findByRole("heading", { name: "Sign in" })).toBeInTheDocument();
  expect(screen.queryByRole("img")).not.toBeInTheDocument();
});

test("an address that leads nowhere says so", async () => {
  renderApp("/plugins");
  expect(await screen.findByRole("heading", { name: "There is no such page." })).toBeInTheDocument();
  await expectAccessible();
});
