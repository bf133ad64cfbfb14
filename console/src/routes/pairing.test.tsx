import { act, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import { FakeSocket } from "@/testing/fake-socket";
import { account, codeShown, connected, notStarted, PIXEL, qrReady, session, soon } from "@/testing/fixtures";
import { expectAccessible, renderApp, told, withSessions } from "@/testing/render";

const fake = fakeHost();
const expectStatus = (text: string) =>
  waitFor(() => expect(screen.getByRole("status", { name: "Status" })).toHaveTextContent(text));

test("loading: says so until the host answers", async () => {
  withSessions(fake.host, notStarted()).on(
    "GET /whatsapp/status/pairing-console",
    () => new Promise(() => {}),
  );
  renderApp("/whatsapp-pairing");
  expect((await screen.findAllByText("Loading…")).length).toBeGreaterThan(0);
  await expectAccessible();
});

test("empty: offers to generate a code, and begins", async () => {
  withSessions(fake.host, notStarted()).on("POST /whatsapp/init", { success: true, message: "starting" });
  const { user } = renderApp("/whatsapp-pairing");
  await expectStatus("Disconnected");
  expect(screen.getByText("Nothing has happened in this session yet.")).toBeInTheDocument();
  await expectAccessible();
  await user.click(screen.getByRole("button", { name: "Generate QR Code & Pairing Code" }));
  expect(fake.host.bodies("POST /whatsapp/init")).toEqual([{ sessionName: "pairing-console" }]);
});

test("error: says what is wrong and tries again", async () => {
  withSessions(fake.host, qrReady()).on(
    "GET /whatsapp/status/pairing-console",
    problem(500, "internal", "the database refused"),
  );
  const { user } = renderApp("/whatsapp-pairing");
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("Something went wrong on the host");
  await expectAccessible();
  fake.host.on("GET /whatsapp/status/pairing-console", qrReady());
  await user.click(within(alert).getByRole("button", { name: "Try again" }));
  expect(await screen.findByRole("img", { name: "QR code to scan with WhatsApp" })).toBeInTheDocument();
});

test("full: the QR code, how long it lasts, and how to scan it", async () => {
  withSessions(fake.host, qrReady({ qrExpiresAt: soon(45) }));
  renderApp("/whatsapp-pairing");
  const image = await screen.findByRole("img", { name: "QR code to scan with WhatsApp" });
  expect(image).toHaveAttribute("src", PIXEL);
  await expectStatus("QR Ready");
  expect(screen.getByRole("timer")).toHaveTextContent(/New code in 0:4[3456]/);
  expect(screen.getByText(/Settings → Linked Devices/)).toBeInTheDocument();
  expect(document.title).toMatch(/^QR Ready · pairing-console/);
  await expectAccessible();
});

test("the next QR code comes by the socket and nothing is polled", async () => {
  withSessions(fake.host, qrReady());
  renderApp("/whatsapp-pairing");
  await screen.findByText("Live");
  const image = await screen.findByRole("img", { name: /QR code/ });
  const asked = fake.host.asked.length;
  const next = {
    sessionName: "pairing-console",
    qrCode: "data:image/png;base64,AAAA",
    expiresAt: soon(20),
    sequence: 2,
  };
  await told("qr-code", "pairing-console", next, "9");
  expect(image).toHaveAttribute("src", "data:image/png;base64,AAAA");
  expect(screen.getByRole("timer")).toHaveTextContent(/0:(19|20|21)/);
  expect(fake.host.asked).toHaveLength(asked);
});

test("a QR code is not shown a second longer than it lasts", async () => {
  withSessions(fake.host, qrReady({ qrExpiresAt: soon(1) }));
  renderApp("/whatsapp-pairing");
  await screen.findByRole("img", { name: /QR code/ });
  expect(await screen.findByText(/A new one is on its way/, {}, { timeout: 5000 })).toBeInTheDocument();
  expect(screen.queryByRole("img", { name: /QR code/ })).not.toBeInTheDocument();
});

test("a new QR code can be asked for", async () => {
  withSessions(fake.host, qrReady()).on("POST /whatsapp/sessions/pairing-console/refresh-qr", {
    success: true,
    message: "a new code comes",
  });
  const { user } = renderApp("/whatsapp-pairing");
  await user.click(await screen.findByRole("button", { name: "Refresh QR code" }));
  expect(fake.host.bodies("POST /whatsapp/sessions/pairing-console/refresh-qr")).toHaveLength(1);
});

test("from scan to link: each state is shown as it comes, and success is told", async () => {
  withSessions(fake.host, qrReady());
  renderApp("/whatsapp-pairing");
  await screen.findByRole("img", { name: /QR code/ });
  const name = "pairing-console";
  await told(
    "status-update",
    name,
    { status: "AUTHENTICATED", reason: null, detail: { percent: 30 }, account: null },
    "3",
  );
  await expectStatus("Authenticated");
  expect(screen.getByRole("progressbar", { name: "Progress" })).toHaveAttribute("aria-valuenow", "30");
  expect(screen.queryByRole("img", { name: /QR code/ })).not.toBeInTheDocument();
  await told("loading", name, { percent: 80 }, "4");
  expect(screen.getByText("80 %")).toBeInTheDocument();
  await told("status-update", name, { status: "CONNECTED", reason: null, detail: null, account }, "5");
  await told("session-connected", name, { account }, "6");
  expect(await screen.findByRole("heading", { name: "Device linked successfully" })).toBeInTheDocument();
  expect(screen.getByText("+55 11 98765-4321")).toBeInTheDocument();
  expect(screen.getAllByText("Maria Oliveira").length).toBeGreaterThan(0);
  await expectAccessible();
});

test("an old link is shown as a fact, not as news", async () => {
  withSessions(fake.host, connected());
  renderApp("/whatsapp-pairing");
  expect(await screen.findByRole("heading", { name: "Phone linked" })).toBeInTheDocument();
  expect(screen.queryByText("Device linked successfully")).not.toBeInTheDocument();
});

test.each([
  ["parked", "Paused: no codes are made", "Resume with a new QR code"],
  ["unlinked_from_phone", "Unlinked from the phone", "Generate QR Code & Pairing Code"],
  ["engine_crashed", "The browser crashed", "Generate QR Code & Pairing Code"],
  ["a_reason_of_tomorrow", "Something else happened", "Generate QR Code & Pairing Code"],
])("disconnected because of %s: says why and what to do", async (reason, title, button) => {
  withSessions(fake.host, session({ reason }));
  renderApp("/whatsapp-pairing");
  expect(await screen.findByRole("heading", { name: title })).toBeInTheDocument();
  expect(screen.getByRole("button", { name: button })).toBeInTheDocument();
  await expectAccessible();
});

test("a session that was stopped keeps its link and can be reconnected", async () => {
  withSessions(fake.host, session({ reason: "stopped", account, linked: true })).on(
    "POST /whatsapp/sessions/pairing-console/reconnect",
    { success: true, message: "starting" },
  );
  const { user } = renderApp("/whatsapp-pairing");
  await user.click(await screen.findByRole("button", { name: "Reconnect" }));
  expect(fake.host.bodies("POST /whatsapp/sessions/pairing-console/reconnect")).toHaveLength(1);
});

test("reconnecting: which attempt, when the next is made, and a way to make it now", async () => {
  const detail = { attempt: 3, nextTryAt: soon(30), message: "the page did not answer" };
  withSessions(
    fake.host,
    session({ status: "CONNECTING", reason: "reconnecting", detail, account, linked: true }),
  );
  fake.host.on("POST /whatsapp/sessions/pairing-console/reconnect", { success: true, message: "starting" });
  const { user } = renderApp("/whatsapp-pairing");
  expect(await screen.findByText(/Attempt 3, next try in (29|30) s/)).toBeInTheDocument();
  expect(screen.getByText("The page did not answer.")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Try now" }));
  expect(fake.host.bodies("POST /whatsapp/sessions/pairing-console/reconnect")).toHaveLength(1);
});

test("polls while the socket is down, and only then", async () => {
  withSessions(fake.host, qrReady());
  renderApp("/whatsapp-pairing");
  await screen.findByText("Live");
  const asked = () => fake.host.bodies("GET /whatsapp/status/pairing-console").length;
  const before = asked();
  fake.host.on("POST /auth/ws-ticket", problem(503, "store_unavailable"));
  vi.useFakeTimers();
  FakeSocket.last.shut(1012);
  await act(() => vi.advanceTimersByTimeAsync(9_000));
  expect(screen.getByText(/Reconnecting|Offline/)).toBeInTheDocument();
  expect(asked()).toBeGreaterThan(before + 1);
  fake.host.on("POST /auth/ws-ticket", () => ({ ticket: "ticket-2", expiresAt: soon(30) }));
  await act(() => vi.advanceTimersByTimeAsync(9_000));
  expect(screen.getByText("Live")).toBeInTheDocument();
  const after = asked();
  await act(() => vi.advanceTimersByTimeAsync(60_000));
  expect(asked()).toBe(after);
});

test("a code that somebody asked for elsewhere is brought to the eye", async () => {
  withSessions(fake.host, qrReady());
  renderApp("/whatsapp-pairing");
  await screen.findByRole("img", { name: /QR code/ });
  const { pairingCode, pairingCodeExpiresAt: expiresAt } = codeShown();
  await told("pairing-code", "pairing-console", { pairingCode, expiresAt }, "9");
  expect(await screen.findByText("K7QM-2XPD")).toBeInTheDocument();
});

test("linked but not answering looks unlike connected, everywhere", async () => {
  const detail = { message: "no answer for 25 s" };
  withSessions(fake.host, connected({ reason: "degraded", detail }));
  renderApp("/whatsapp-pairing");
  await expectStatus("Not answering");
  expect(screen.getByRole("heading", { name: "Linked, but not answering" })).toBeInTheDocument();
  expect(screen.getByText("No answer for 25 s.")).toBeInTheDocument();
  expect(screen.queryByText("Phone linked")).not.toBeInTheDocument();
  const list = screen.getByRole("region", { name: "Sessions" });
  expect(await within(list).findByText("Not answering")).toBeInTheDocument();
  expect(document.title).toMatch(/^Not answering/);
  await expectAccessible();
});

test("a session that waits for a browser shows its place and why", async () => {
  const queue = { position: 2, waiting: 5, reason: "slots" };
  withSessions(fake.host, session({ status: "CONNECTING", reason: "starting", queue }));
  renderApp("/whatsapp-pairing");
  const place = await screen.findByText("Waiting for a browser: 2 of 5 in the line", { selector: "p" });
  expect(place.closest("[role=status]")).toHaveTextContent("As many browsers run as this host may run");
  await expectAccessible();
});

test("a link in use elsewhere says when it is taken back", async () => {
  const detail = { nextTryAt: soon(31), message: "WhatsApp Web is open elsewhere" };
  withSessions(fake.host, session({ status: "CONNECTING", reason: "conflict", detail, linked: true }));
  const { user } = renderApp("/whatsapp-pairing");
  expect(await screen.findByRole("heading", { name: "In use elsewhere" })).toBeInTheDocument();
  expect(screen.getByText(/next try in (29|30|31) s/)).toBeInTheDocument();
  fake.host.on("POST /whatsapp/sessions/pairing-console/reconnect", { success: true, message: "done" });
  await user.click(screen.getByRole("button", { name: "Try now" }));
  expect(fake.host.bodies("POST /whatsapp/sessions/pairing-console/reconnect")).toHaveLength(1);
});

test.each([
  ["passkey_required", "remove the passkey", "Generate QR Code & Pairing Code"],
  ["client_outdated", "Update the host and its Chromium", "Generate QR Code & Pairing Code"],
  ["parked", "Resume when your phone is at hand", "Resume with a new QR code"],
])("%s: says what the host knows, what to do, and offers to go on", async (reason, help, button) => {
  const detail = { message: "the host knows more" };
  withSessions(fake.host, session({ reason, detail }));
  renderApp("/whatsapp-pairing");
  await expectStatus("Disconnected");
  expect(screen.getByText(new RegExp(help))).toBeInTheDocument();
  expect(screen.getByText("The host knows more.")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: button })).toBeEnabled();
});

test("the host is told which session is open, so that it makes codes for it", async () => {
  withSessions(fake.host, qrReady(), qrReady({ sessionName: "sales" }));
  const { user } = renderApp("/whatsapp-pairing");
  await screen.findByText("Live");
  const told = () => FakeSocket.last.sent.filter((frame) => frame.type === "watch");
  expect(told().at(-1)).toEqual({ type: "watch", sessions: ["pairing-console"] });
  await user.click(await screen.findByRole("link", { name: /sales/ }));
  await waitFor(() => expect(told().at(-1)).toEqual({ type: "watch", sessions: ["sales"] }));
});

test("what host and sessions warn of stands above every page until it is over or put away", async () => {
  withSessions(fake.host, qrReady());
  const { user } = renderApp("/whatsapp-pairing");
  await told("alert", "_host", { code: "page_drift", message: "command can't be found" }, "5");
  await told("alert", "sales", { code: "wrong_number", message: "another number was linked" }, "6");
  const alerts = screen.getByRole("region", { name: "Alerts" });
  expect(within(alerts).getByText("WhatsApp Web has changed")).toBeInTheDocument();
  expect(within(alerts).getByText("Command can't be found.")).toBeInTheDocument();
  expect(alerts).toHaveTextContent("sales: Another number was linked.");
  await expectAccessible();
  await told("alert", "_host", { code: "page_drift_over", message: "all is there again" }, "7");
  expect(within(alerts).queryByText("WhatsApp Web has changed")).not.toBeInTheDocument();
  await user.click(within(alerts).getByRole("button", { name: "Put this alert away" }));
  expect(screen.queryByRole("region", { name: "Alerts" })).not.toBeInTheDocument();
});

test("a session whose browser is started anew reconnects, and is not called disconnected", async () => {
  withSessions(fake.host, connected({ reason: "degraded" }));
  renderApp("/whatsapp-pairing");
  await expectStatus("Not answering");
  const update = { status: "CONNECTING", reason: "reconnecting", detail: null, account };
  await told("status-update", "pairing-console", update, "8");
  await told("session-disconnected", "pairing-console", { reason: "reconnecting" }, "9");
  await expectStatus("Connecting");
  expect(screen.getByRole("heading", { name: "Reconnecting" })).toBeInTheDocument();
});
