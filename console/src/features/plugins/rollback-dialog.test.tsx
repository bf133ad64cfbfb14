import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import {
  active,
  change,
  health,
  NEW,
  OLD,
  pluginVersion,
  slotReport,
  uploaded,
  withPlugins,
} from "@/testing/plugin-fixtures";
import { expectAccessible, renderApp } from "@/testing/render";
import { earlierVersions } from "./rollback-dialog";

const fake = fakeHost();
const ROLLBACK = "POST /plugins/workflow/rollback";

async function openDialog() {
  const { user } = renderApp("/whatsapp-pairing/plugins");
  await screen.findByRole("button", { name: /^Replay: pairing-workflow 0.1/ });
  await user.click(await screen.findByRole("button", { name: "Roll back" }));
  return { user, dialog: within(await screen.findByRole("dialog", { name: "Roll Workflow back?" })) };
}

const answer = {
  generation: 9,
  from: OLD,
  active: NEW,
  canary: null,
  pinnedSessions: 0,
  message: "pairing-workflow 0.2.0 is active again",
  replay: null,
};

test("goes back to the version before, with the reason", async () => {
  withPlugins(fake.host).on(ROLLBACK, answer);
  const { user, dialog } = await openDialog();
  await user.type(dialog.getByLabelText("Reason (optional)"), "codes look blurred");
  await expectAccessible();
  await user.click(dialog.getByRole("button", { name: "Roll back" }));
  expect(await screen.findByText("The slot is rolled back")).toBeInTheDocument();
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  expect(screen.getByText("Pairing-workflow 0.2.0 is active again.")).toBeInTheDocument();
  expect(fake.host.bodies(ROLLBACK)).toEqual([{ why: "codes look blurred" }]);
});

test("goes back to an earlier version that was active once", async () => {
  withPlugins(fake.host, { changes: [change(2, { from: NEW, to: OLD })] }).on(ROLLBACK, answer);
  const { user, dialog } = await openDialog();
  await user.click(
    await dialog.findByRole("radio", { name: `pairing-workflow 0.2.0 (${NEW.slice(0, 12)})` }),
  );
  await user.click(dialog.getByRole("button", { name: "Roll back" }));
  await screen.findByText("The slot is rolled back");
  expect(fake.host.bodies(ROLLBACK)).toEqual([{ to: NEW }]);
});

test("during a trial it says that going back ends the trial", async () => {
  const canary = { digest: NEW, name: "pairing-workflow", version: "0.2.0", share: 10, health: health() };
  withPlugins(fake.host, { slots: [slotReport({ canary })] });
  const { dialog } = await openDialog();
  expect(dialog.getByRole("radio", { name: /^The end of the trial/ })).toBeChecked();
});

test("a refusal stays in the dialog", async () => {
  withPlugins(fake.host).on(ROLLBACK, problem(409, "plugin_conflict", "there is no version before this one"));
  const { user, dialog } = await openDialog();
  await user.click(dialog.getByRole("button", { name: "Roll back" }));
  expect(await dialog.findByRole("alert")).toHaveTextContent("There is no version before this one.");
});

test("what was refused, or is active now, is nothing to go back to", () => {
  const never = pluginVersion({ digest: "c".repeat(64) });
  const changes = [
    change(4, { from: never.digest, to: OLD, refusal: "no" }),
    change(3, { from: NEW, to: OLD }),
    change(2, { from: OLD, to: NEW }),
    change(1, { from: null, to: OLD }),
  ];
  expect(earlierVersions(changes, [never, uploaded, active], OLD)).toEqual([uploaded]);
});
