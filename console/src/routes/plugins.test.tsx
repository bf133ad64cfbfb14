import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import { notStarted } from "@/testing/fixtures";
import { health, NEW, renderer, slotReport, subscription, withPlugins } from "@/testing/plugin-fixtures";
import { expectAccessible, renderApp, withSessions } from "@/testing/render";

const fake = fakeHost();
const PAGE = "/whatsapp-pairing/plugins";
const slotCard = (name: string) => screen.findByRole("region", { name });

test("loading: says so until the host answers", async () => {
  withPlugins(fake.host).on("GET /plugins", () => new Promise(() => {}));
  renderApp(PAGE);
  await slotCard("Plugins");
  expect(await screen.findByText("Loading…")).toBeInTheDocument();
  await expectAccessible();
});

test("error: says what is wrong and tries again", async () => {
  withPlugins(fake.host).on("GET /plugins", problem(500, "internal"));
  const { user } = renderApp(PAGE);
  const alert = await screen.findByRole("alert");
  await expectAccessible();
  withPlugins(fake.host);
  await user.click(within(alert).getByRole("button", { name: "Try again" }));
  expect(await slotCard("Workflow")).toBeInTheDocument();
});

test("empty: a slot that the host does not have is not made up", async () => {
  withPlugins(fake.host);
  renderApp(`${PAGE}/teapot`);
  expect(await screen.findByText("There is no such slot.")).toBeInTheDocument();
  await expectAccessible();
});

test("full: what fills the slot, how it does, and what is on trial", async () => {
  const canary = {
    digest: NEW,
    name: "pairing-workflow",
    version: "0.2.0",
    share: 10,
    health: health({ breaker: "half-open", calls: 412 }),
  };
  const failing = health({
    errors: 4,
    errorsByKind: { trapped: 3, deadline: 1 },
    lastError: "trapped in `handle`",
  });
  withPlugins(fake.host, { slots: [slotReport({ pinnedSessions: 3, health: failing, canary })] });
  renderApp(PAGE);
  const card = await slotCard("Workflow");
  const filled = within(card).getByRole("region", { name: "pairing-workflow 0.1.0" });
  for (const fact of ["Healthy", "aaaaaaaaaaaa", "built into the host", "1,200", "4 (trapped 3, deadline 1)"])
    expect(within(filled).getByText(fact)).toBeInTheDocument();
  for (const fact of ["80 µs", "Trapped in `handle`.", "They stay with another version until they end."])
    expect(within(filled).getByText(fact)).toBeInTheDocument();
  const trial = within(card).getByRole("region", { name: "On trial" });
  for (const fact of ["On trial for 10 % of the sessions", "pairing-workflow 0.2.0", "Being tried", "412"])
    expect(within(trial).getByText(fact)).toBeInTheDocument();
  expect(document.title).toMatch(/^Workflow · Plugins/);
  await expectAccessible();
});

test("a slot that is quarantined is seen from the others, and its page says what to do", async () => {
  withPlugins(fake.host, {
    slots: [slotReport(), renderer({ health: health({ breaker: "quarantined", p99Ms: null }) })],
  });
  const { user } = renderApp(PAGE);
  const link = await screen.findByRole("link", { name: /QR renderer.*Quarantined/ });
  await user.click(link);
  const card = await slotCard("QR renderer");
  expect(link).toHaveAttribute("aria-current", "page");
  expect(card).toHaveTextContent("Roll back, or activate another version.");
  expect(card).toHaveTextContent("99 % of calls within–");
});

test("a handler's page tells who gets its events, and has no replay", async () => {
  const subscriptions = [
    subscription(),
    subscription({ name: "billing", lag: 1200, lagging: 3, deadLetters: 1 }),
    subscription({ name: "old", disabled: "the receiver is gone for good: 410" }),
  ];
  withPlugins(fake.host, { slots: [slotReport(), slotReport({ slot: "webhook", subscriptions })] });
  renderApp(`${PAGE}/webhook`);
  const card = await slotCard("Subscriptions");
  const [healthy, waiting, off] = within(card).getAllByRole("listitem");
  expect(healthy).toHaveTextContent("defaultOn0 events to come");
  expect(waiting).toHaveTextContent("billingTrying again1,200 events to come · 3 sessions wait · 1 given up");
  expect(off).toHaveTextContent("The receiver is gone for good: 410.");
  await slotCard("Versions");
  expect(screen.queryByRole("button", { name: /Replay/ })).not.toBeInTheDocument();
  await expectAccessible();
});

test("slots of the host's own have no subscriptions", async () => {
  withPlugins(fake.host);
  renderApp(PAGE);
  await slotCard("Workflow");
  expect(screen.queryByRole("region", { name: "Subscriptions" })).not.toBeInTheDocument();
});

test("the navigation leads to the plugins and back to the sessions", async () => {
  withPlugins(fake.host);
  withSessions(fake.host, notStarted());
  const { user, router } = renderApp("/whatsapp-pairing");
  const pages = within(await screen.findByRole("navigation", { name: "Pages" }));
  expect(pages.getByRole("link", { name: "Sessions" })).toHaveAttribute("aria-current", "page");
  await user.click(pages.getByRole("link", { name: "Plugins" }));
  await slotCard("Workflow");
  expect(pages.getByRole("link", { name: "Plugins" })).toHaveAttribute("aria-current", "page");
  expect(pages.getByRole("link", { name: "Sessions" })).not.toHaveAttribute("aria-current");
  await user.click(pages.getByRole("link", { name: "Sessions" }));
  expect(router.state.location.pathname).toBe("/whatsapp-pairing");
});
