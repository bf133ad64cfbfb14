import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { fakeHost, problem } from "@/testing/fake-host";
import { NEW, uploaded, verdict, withPlugins } from "@/testing/plugin-fixtures";
import { expectAccessible, renderApp } from "@/testing/render";

const fake = fakeHost();
const PUSH = "POST /plugins/workflow/versions";
const component = new File([new Uint8Array([0, 97, 115, 109])], "workflow.wasm");

async function openDialog() {
  const { user } = renderApp("/whatsapp-pairing/plugins");
  await user.click(await screen.findByRole("button", { name: "Upload a version" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Upload a version for Workflow" }));
  const upload = () => user.click(dialog.getByRole("button", { name: "Upload" }));
  return { user, dialog, upload };
}

const sent = () => fake.host.asked.filter((one) => `${one.method} ${one.path}` === PUSH);

test("a component is sent as it is, with its signature", async () => {
  withPlugins(fake.host).on(PUSH, { ...uploaded, verdicts: [verdict()] });
  const { user, dialog, upload } = await openDialog();
  await user.upload(dialog.getByLabelText("Component (.wasm)"), component);
  const signature = new File([new Uint8Array(64).fill(1)], "workflow.sig");
  await user.upload(dialog.getByLabelText("Signature (.sig, optional)"), signature);
  await upload();
  expect(await screen.findByText("pairing-workflow 0.2.0 has passed all gates")).toBeInTheDocument();
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  const [asked] = sent();
  expect(asked?.body).toBe(component);
  expect(asked?.headers.get("content-type")).toBe("application/wasm");
  expect(asked?.headers.get("plugin-signature")).toBe(btoa("\u0001".repeat(64)));
  expect(asked?.query.has("acceptUnsigned")).toBe(false);
});

test("one without a signature is accepted by its digest alone", async () => {
  withPlugins(fake.host).on(PUSH, { ...uploaded, verdicts: [] });
  const { user, dialog, upload } = await openDialog();
  await user.upload(dialog.getByLabelText("Component (.wasm)"), component);
  await user.type(dialog.getByLabelText("Accept without a signature (optional)"), NEW.toUpperCase());
  await upload();
  await screen.findByText("pairing-workflow 0.2.0 has passed all gates");
  expect(sent()[0]?.query.get("acceptUnsigned")).toBe(NEW);
  expect(sent()[0]?.headers.has("plugin-signature")).toBe(false);
});

test("what can't be right is not sent", async () => {
  withPlugins(fake.host);
  const { user, dialog, upload } = await openDialog();
  await user.upload(dialog.getByLabelText("Signature (.sig, optional)"), new File(["short"], "a.sig"));
  await user.type(dialog.getByLabelText("Accept without a signature (optional)"), "b7");
  await upload();
  expect(await dialog.findByText("Choose the component's file.")).toBeInTheDocument();
  expect(dialog.getByText("A signature has 64 bytes; this file has 5.")).toBeInTheDocument();
  expect(dialog.getByText("A SHA-256 digest has 64 hexadecimal digits.")).toBeInTheDocument();
  expect(sent()).toEqual([]);
  await expectAccessible();
});

test("a gate's refusal is shown whole, and the dialog stays", async () => {
  const said = "refused at the signature: it is not signed; sign it with a key of `plugins.keys`";
  withPlugins(fake.host).on(PUSH, problem(422, "plugin_refused", said));
  const { user, dialog, upload } = await openDialog();
  await user.upload(dialog.getByLabelText("Component (.wasm)"), component);
  await upload();
  const alert = await dialog.findByRole("alert");
  expect(alert).toHaveTextContent("it is not signed; sign it with a key of `plugins.keys`.");
});
