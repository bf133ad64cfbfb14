import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import { change, NEW, OLD, withPlugins } from "@/testing/plugin-fixtures";
import { expectAccessible, renderApp } from "@/testing/render";

const fake = fakeHost();
const HISTORY = "GET /plugins/workflow/history";
const card = async () => within(await screen.findByRole("region", { name: "History" }));

test("who did what, from which version to which, why, and what came of it", async () => {
  const refusal = "refused at the replay: it traps\nrepair the trap at input 12";
  const changes = [
    change(4, { action: "canary", share: 10, why: "new back-off", detail: "3 sessions stay behind" }),
    change(3, { refusal }),
    change(2, { action: "push", who: "ci", refusal: null }),
    change(1, { action: "seed", who: "host", from: null, to: OLD }),
  ];
  withPlugins(fake.host, { changes });
  renderApp("/whatsapp-pairing/plugins");
  const [trial, refused, push, seed] = await (await card()).findAllByRole("listitem");
  expect(trial).toHaveTextContent("Trial");
  await waitFor(() => expect(trial).toHaveTextContent("by maria"));
  expect(trial).toHaveTextContent(
    `0.1.0 ${OLD.slice(0, 12)} → 0.2.0 ${NEW.slice(0, 12)}, 10 % of the sessions`,
  );
  expect(trial).toHaveTextContent("“new back-off”");
  expect(trial).toHaveTextContent("3 sessions stay behind.");
  expect(refused).toHaveTextContent("ActivationRefused");
  expect(refused).toHaveTextContent("it traps repair the trap at input 12.");
  expect(push).toHaveTextContent("by ci");
  expect(push).not.toHaveTextContent("→");
  expect(seed).toHaveTextContent("by host");
  expect(seed).toHaveTextContent(`0.1.0 ${OLD.slice(0, 12)}`);
  await expectAccessible();
});

test("older entries are fetched when they are asked for", async () => {
  withPlugins(fake.host).on(HISTORY, ({ query }: { query: URLSearchParams }) =>
    query.get("before") === "2"
      ? { changes: [change(1)], next: null }
      : { changes: [change(3), change(2)], next: 2 },
  );
  const { user } = renderApp("/whatsapp-pairing/plugins");
  await user.click(await (await card()).findByRole("button", { name: "Show older entries" }));
  expect(await (await card()).findAllByRole("listitem")).toHaveLength(3);
  expect(screen.queryByRole("button", { name: "Show older entries" })).not.toBeInTheDocument();
});

test("empty, and an error that is tried again", async () => {
  withPlugins(fake.host).on(HISTORY, problem(500, "internal"));
  const { user } = renderApp("/whatsapp-pairing/plugins");
  const alert = await (await card()).findByRole("alert");
  fake.host.on(HISTORY, { changes: [], next: null });
  await user.click(within(alert).getByRole("button", { name: "Try again" }));
  expect(await (await card()).findByText("Nothing was done to this slot yet.")).toBeInTheDocument();
});

test("what could not be worked is shown with the reason", async () => {
  const parked = [
    { session: "shop", at: "2026-09-01T08:00:00.000Z", what: "engine:qr-code", reason: "trapped twice" },
  ];
  withPlugins(fake.host).on("GET /plugins/workflow/parked", { parked });
  renderApp("/whatsapp-pairing/plugins");
  const shown = await screen.findByRole("region", { name: "Parked" });
  expect(shown).toHaveTextContent("shopengine:qr-code");
  expect(shown).toHaveTextContent("Trapped twice.");
});
