import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import {
  active,
  NEW,
  OLD,
  pluginVersion,
  replayReport,
  uploaded,
  verdict,
  withPlugins,
} from "@/testing/plugin-fixtures";
import { expectAccessible, renderApp } from "@/testing/render";

const fake = fakeHost();
const REPLAY = "POST /plugins/workflow/replay";
const ACTIVATE = "POST /plugins/workflow/activate";
const card = () => screen.findByRole("region", { name: "Versions" });

const activated = {
  generation: 8,
  from: OLD,
  active: NEW,
  canary: null,
  pinnedSessions: 0,
  message: "pairing-workflow 0.2.0 is active",
  replay: null,
};

async function openPage() {
  const { user } = renderApp("/whatsapp-pairing/plugins");
  return { user, list: within(await card()) };
}

test("each version with its size, where it comes from and who answers for it", async () => {
  const sent = { source: "upload", createdBy: "ci" };
  const accepted = pluginVersion({ digest: "c".repeat(64), acceptedBy: "jose", ...sent });
  const unsigned = pluginVersion({ digest: "d".repeat(64), ...sent });
  withPlugins(fake.host, { versions: [uploaded, active, accepted, unsigned] });
  const { list } = await openPage();
  const [first, second, third, fourth] = await list.findAllByRole("listitem");
  expect(first).toHaveTextContent("pairing-workflow 0.2.0");
  expect(first).toHaveTextContent("bbbbbbbbbbbb · 209 KiB · Signed by release-2026");
  await waitFor(() => expect(first).toHaveTextContent("uploaded by maria"));
  expect(second).toHaveTextContent("Active");
  expect(second).toHaveTextContent("built into the host");
  expect(second).not.toHaveTextContent("Not signed");
  expect(third).toHaveTextContent("Not signed, accepted by jose");
  expect(third).toHaveTextContent("uploaded by ci");
  expect(fourth).toHaveTextContent("· Not signed");
});

test("the gates' verdicts are fetched when they are asked for", async () => {
  const call = `GET /plugins/workflow/versions/${NEW}`;
  const refused = verdict({ gate: "replay", passed: false, message: "traps on 1 of 50 histories" });
  withPlugins(fake.host).on(call, { ...uploaded, verdicts: [verdict(), refused] });
  const { user, list } = await openPage();
  const details = await list.findByRole("button", { name: /^Details: pairing-workflow 0.2/ });
  expect(fake.host.bodies(call)).toEqual([]);
  await user.click(details);
  expect(details).toHaveAttribute("aria-expanded", "true");
  expect(await list.findByText("Traps on 1 of 50 histories.")).toBeInTheDocument();
  expect(list.getByText(NEW)).toBeInTheDocument();
  expect(list.getByText("start 48,211")).toBeInTheDocument();
  await expectAccessible();
});

test("a replay tells how many histories end in which way, and where one differs", async () => {
  const report = replayReport({
    results: { identical: 48, differs: 1, trapped: 1 },
    fuelNow: 2_100_000,
    remarks: ["it takes more than twice the fuel"],
    sessions: [
      {
        session: "shop",
        result: "differs",
        inputNumber: 12,
        cause: "engine:qr-code",
        message: "it decides otherwise",
        differences: [{ path: "/effects/0/inMs", recorded: 60_000, now: 45_000 }],
      },
    ],
  });
  withPlugins(fake.host).on(REPLAY, report);
  const { user, list } = await openPage();
  await user.click(await list.findByRole("button", { name: /^Replay: pairing-workflow 0.2/ }));
  const shown = within(await list.findByRole("region", { name: "Replay report" }));
  expect(fake.host.bodies(REPLAY)).toEqual([{ digest: NEW }]);
  expect(shown.getByText("50 histories with 1,204 inputs")).toBeInTheDocument();
  const counts = shown.getAllByRole("listitem").map((item) => item.textContent);
  expect(counts.slice(0, 5)).toEqual([
    "48identical",
    "1differs",
    "0state rejected",
    "1trapped",
    "0over budget",
  ]);
  expect(shown.getByText(/Fuel: 210 %/)).toBeInTheDocument();
  expect(shown.getByText("It takes more than twice the fuel.")).toBeInTheDocument();
  expect(shown.getByText("at input 12 (engine:qr-code)")).toBeInTheDocument();
  await user.click(shown.getByText("1 difference"));
  expect(shown.getByText("/effects/0/inMs")).toBeVisible();
  expect(shown.getByText("recorded").parentElement).toHaveTextContent("60000");
  expect(shown.getByText("→ now").parentElement).toHaveTextContent("45000");
  await expectAccessible();
  await user.click(shown.getByRole("button", { name: "Close the report" }));
  expect(list.queryByRole("region", { name: "Replay report" })).not.toBeInTheDocument();
});

test("a version is put on trial for a share of the sessions, with the reason", async () => {
  withPlugins(fake.host).on(ACTIVATE, { ...activated, active: OLD, canary: { digest: NEW, share: 10 } });
  const { user, list } = await openPage();
  await user.click(await list.findByRole("button", { name: /^Activate: pairing-workflow 0.2/ }));
  const dialog = within(
    await screen.findByRole("dialog", { name: `Activate pairing-workflow 0.2.0 (${NEW.slice(0, 12)})?` }),
  );
  await expectAccessible();
  await user.click(dialog.getByRole("radio", { name: "10 % of the sessions, on trial" }));
  await user.type(dialog.getByLabelText("Reason (optional)"), "new back-off");
  await user.click(dialog.getByRole("button", { name: "Put on trial" }));
  expect(await screen.findByText("The version is on trial for 10 % of the sessions")).toBeInTheDocument();
  expect(fake.host.bodies(ACTIVATE)).toEqual([{ digest: NEW, canary: 10, why: "new back-off" }]);
});

test("after an activation the host's word, the replay and the new state are shown", async () => {
  withPlugins(fake.host).on(ACTIVATE, () => {
    withPlugins(fake.host, {
      versions: [
        { ...uploaded, isActive: true },
        { ...active, isActive: false },
      ],
    });
    return { ...activated, replay: replayReport() };
  });
  const { user, list } = await openPage();
  await user.click(await list.findByRole("button", { name: /^Activate: pairing-workflow 0.2/ }));
  await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Activate" }));
  expect(await list.findByText("Pairing-workflow 0.2.0 is active.")).toBeInTheDocument();
  expect(list.getByRole("region", { name: "Replay report" })).toBeInTheDocument();
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  expect(fake.host.bodies(ACTIVATE)).toEqual([{ digest: NEW }]);
  await waitFor(() => expect(list.getAllByRole("listitem")[0]).toHaveTextContent("Active"));
});

test("a refusal is shown whole in the dialog", async () => {
  const said = "refused at the replay: it traps on 1 of 50 recorded histories\nrepair the trap at input 12";
  withPlugins(fake.host).on(ACTIVATE, problem(422, "plugin_refused", said));
  const { user, list } = await openPage();
  await user.click(await list.findByRole("button", { name: /^Activate: pairing-workflow 0.2/ }));
  const dialog = within(screen.getByRole("dialog"));
  await user.click(dialog.getByRole("button", { name: "Activate" }));
  const alert = await dialog.findByRole("alert");
  expect(alert).toHaveTextContent("it traps on 1 of 50 recorded histories repair the trap at input 12.");
});

test("the version that is active is not offered for activation", async () => {
  withPlugins(fake.host);
  const { list } = await openPage();
  await list.findByRole("button", { name: /^Replay: pairing-workflow 0.1/ });
  expect(list.queryByRole("button", { name: /^Activate: pairing-workflow 0.1/ })).not.toBeInTheDocument();
});
