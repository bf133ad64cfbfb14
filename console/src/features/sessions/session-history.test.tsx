import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import { account, connected, entry, qrReady } from "@/testing/fixtures";
import { expectAccessible, renderApp, told, withSessions } from "@/testing/render";

const fake = fakeHost();
const HISTORY = "GET /whatsapp/sessions/pairing-console/history";
const card = () => screen.findByRole("region", { name: "History" });

test("newest first, ten at a time", async () => {
  const entries = Array.from({ length: 12 }, (_, index) => entry(index + 1));
  entries[11] = entry(12, { status: "QR_READY", reason: null });
  entries[0] = entry(1, { reason: "engine_crashed", detail: { message: "signal 11" } });
  withSessions(fake.host, qrReady()).on(HISTORY, { history: entries, next: null });
  const { user } = renderApp("/whatsapp-pairing");
  const items = () => within(screen.getByRole("region", { name: "History" })).getAllByRole("listitem");
  await within(await card()).findAllByRole("listitem");
  expect(items()).toHaveLength(10);
  expect(items()[0]).toHaveTextContent("QR Ready");
  await user.click(screen.getByRole("button", { name: "Show older entries" }));
  expect(items()).toHaveLength(12);
  expect(items()[11]).toHaveTextContent("The browser crashed");
  expect(items()[11]).toHaveTextContent("Signal 11.");
});

test("reads page after page, and later only what is new", async () => {
  withSessions(fake.host, qrReady()).on(HISTORY, ({ query }: { query: URLSearchParams }) => {
    const after = query.get("after");
    if (after === null) return { history: [entry(1)], next: "1" };
    if (after === "1") return { history: [entry(2)], next: null };
    return { history: [entry(3, { status: "CONNECTED", reason: null })], next: null };
  });
  renderApp("/whatsapp-pairing");
  await screen.findByText("Live");
  await waitFor(async () => expect(within(await card()).getAllByRole("listitem").length).toBeGreaterThan(1));
  await told(
    "status-update",
    "pairing-console",
    { status: "CONNECTED", reason: null, detail: null, account },
    "3",
  );
  await waitFor(async () =>
    expect(within(await card()).getAllByRole("listitem")[0]).toHaveTextContent("Connected"),
  );
  const asked = fake.host.asked.filter((one) => `${one.method} ${one.path}` === HISTORY);
  expect(asked.slice(0, 2).map((one) => one.query.get("after"))).toEqual([null, "1"]);
  expect(asked.slice(2).every((one) => one.query.get("after") !== null)).toBe(true);
});

test("error: says so and tries again", async () => {
  withSessions(fake.host, connected()).on(HISTORY, problem(500, "internal"));
  const { user } = renderApp("/whatsapp-pairing");
  const alert = await within(await card()).findByRole("alert");
  fake.host.on(HISTORY, { history: [entry(1)], next: null });
  await user.click(within(alert).getByRole("button", { name: "Try again" }));
  expect(await within(await card()).findAllByRole("listitem")).toHaveLength(1);
});

test("what was seen at a repair can be looked at, with its picture", async () => {
  const seen = {
    repair: "reload",
    pageState: "CONNECTED",
    step: "probe",
    message: "no answer for 25 s",
    console: ["warning: slow", "error: gone"],
    hasScreenshot: true,
  };
  const line = entry(7, {
    status: "CONNECTED",
    reason: "degraded",
    cause: "repair:reload",
    hasEvidence: true,
  });
  withSessions(fake.host, connected())
    .on(HISTORY, { history: [entry(1), line], next: null })
    .on(`${HISTORY}/7/evidence`, seen)
    .on(`${HISTORY}/7/evidence/screenshot`, () => new Response("png"));
  const { user } = renderApp("/whatsapp-pairing");
  const buttons = await within(await card()).findAllByRole("button", { name: /^What was seen at/ });
  expect(buttons).toHaveLength(1);
  await user.click(buttons[0] as HTMLElement);
  const dialog = await screen.findByRole("dialog", { name: "What was seen" });
  expect(await within(dialog).findByText("Page loaded anew")).toBeInTheDocument();
  expect(within(dialog).getByText("no answer for 25 s")).toBeInTheDocument();
  expect(within(dialog).getByText(/warning: slow/)).toBeInTheDocument();
  const picture = await within(dialog).findByRole("img", { name: "Blurred picture of the page" });
  expect(picture.getAttribute("src")).toMatch(/^data:/);
  await expectAccessible();
});

test("what is no longer kept is said in the dialog", async () => {
  withSessions(fake.host, connected())
    .on(HISTORY, { history: [entry(7, { hasEvidence: true })], next: null })
    .on(`${HISTORY}/7/evidence`, problem(404, "evidence_not_found"));
  const { user } = renderApp("/whatsapp-pairing");
  await user.click(await screen.findByRole("button", { name: /^What was seen at/ }));
  const dialog = await screen.findByRole("dialog");
  expect(await within(dialog).findByText("Nothing is kept of this")).toBeInTheDocument();
});
