// The plugins page in a real browser, against the real host and its own plugins. The
// scenarios follow each other.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before } from "node:test";
import { audit, openBrowser, troubles } from "./browser.mjs";
import { startHost, startStandin } from "./processes.mjs";
import { inOrder } from "./scenarios.mjs";
import { qrImage, setUp } from "./signing-in.mjs";

let standin;
let host;
let browser;
let page;
let found;
const { scenario, failed } = inOrder();

before(async () => {
  standin = await startStandin();
  host = await startHost(standin.url);
  browser = await openBrowser();
  page = await (await browser.newPerson()).newPage();
  found = troubles(page);
  await setUp(page, await host.setupLink());
  // A recorded history, for the replay.
  await page.getByRole("button", { name: "Generate QR Code & Pairing Code" }).click();
  await qrImage(page).waitFor();
});

after(async () => {
  if (failed())
    console.log(
      await page
        ?.locator("body")
        .textContent()
        .catch(() => ""),
      host?.log(),
    );
  await browser?.close();
  await host?.close();
  await standin?.close();
});

const region = (name) => page.getByRole("region", { name });
const dialog = () => page.getByRole("dialog");
const newest = () => region("Versions").getByRole("listitem").first();

async function askToRollBack() {
  await page.getByRole("button", { name: "Roll back" }).click();
  await dialog().waitFor();
  assert.deepEqual(await audit(page), []);
  await dialog().getByRole("button", { name: "Roll back" }).click();
}

/** A released renderer with a note of its own: it draws alike and has another digest. */
function anotherRenderer() {
  const released = readFileSync(new URL("../../tests/museum/0.1.0/qr-renderer.wasm", import.meta.url));
  const note = Buffer.from("\u0004note");
  return Buffer.concat([released, Buffer.from([0, note.length]), note]);
}

scenario("each slot is filled, and healthy", async () => {
  await page
    .getByRole("navigation", { name: "Pages" })
    .getByRole("link", { name: "Plugins", exact: true })
    .click();
  const slots = region("Slots").getByRole("link");
  await slots.first().waitFor();
  assert.equal(await slots.count(), 4);
  for (const [title, plugin] of [
    ["Workflow", "pairing-workflow"],
    ["QR renderer", "qr-renderer"],
    ["Fan-out", "event-fan-out"],
    ["Webhook", "webhook"],
  ]) {
    await region("Slots")
      .getByRole("link", { name: new RegExp(`${title}.*Healthy`) })
      .click();
    await region(title).getByText(plugin).first().waitFor();
    await region("Versions").getByText("Active", { exact: true }).waitFor();
    await region("History").getByText("Host's own version").waitFor();
    assert.deepEqual(await audit(page), []);
  }
});

scenario("a version tells what was found out about it", async () => {
  await region("Slots")
    .getByRole("link", { name: /Workflow/ })
    .click();
  await region("Versions")
    .getByRole("button", { name: /^Details/ })
    .click();
  await region("Versions").getByText("Writes state schema").waitFor();
  await region("Versions").getByText("Verdicts of the gates").waitFor();
  await region("Versions")
    .getByText(/^[0-9a-f]{64}$/)
    .waitFor();
  assert.deepEqual(await audit(page), []);
});

scenario("the active version decides on the recorded histories as it did then", async () => {
  await region("Versions")
    .getByRole("button", { name: /^Replay/ })
    .click();
  const report = region("Replay report");
  await report.waitFor();
  const counts = await report.getByRole("listitem").allTextContents();
  assert.deepEqual(counts, ["1identical", "0differs", "0state rejected", "0trapped", "0over budget"]);
  await report.getByText("Fuel: 100 % of what the recorded decisions took").waitFor();
  assert.deepEqual(await audit(page), []);
});

scenario("what is no component is refused, with what to do, and the history keeps it", async () => {
  await page.getByRole("button", { name: "Upload a version" }).click();
  assert.deepEqual(await audit(page), []);
  await dialog()
    .getByLabel("Component (.wasm)")
    .setInputFiles({ name: "no.wasm", mimeType: "application/wasm", buffer: Buffer.from("no component") });
  await dialog().getByRole("button", { name: "Upload" }).click();
  const alert = dialog().getByRole("alert");
  await alert.getByText("The component is refused").waitFor();
  assert.match(await alert.textContent(), /component/);
  assert.deepEqual(await audit(page), []);
  await page.keyboard.press("Escape");
  await region("History").getByText("Refused", { exact: true }).first().waitFor();
});

scenario("there is nothing to go back to, and the host says so", async () => {
  await askToRollBack();
  await dialog().getByRole("alert").getByText("The slot does not allow this now").waitFor();
  assert.deepEqual(await audit(page), []);
  await page.keyboard.press("Escape");
});

scenario("a renderer is let in, and its gates' verdicts are told", async () => {
  await region("Slots")
    .getByRole("link", { name: /QR renderer/ })
    .click();
  await page.getByRole("button", { name: "Upload a version" }).click();
  await dialog()
    .getByLabel("Component (.wasm)")
    .setInputFiles({ name: "renderer.wasm", mimeType: "application/wasm", buffer: anotherRenderer() });
  await dialog().getByRole("button", { name: "Upload" }).click();
  await page.getByText(/has passed all gates$/).waitFor();
  const row = newest();
  await row.getByText("Not signed", { exact: false }).waitFor();
  await row.getByRole("button", { name: /^Details/ }).click();
  await row.getByText("passed", { exact: true }).first().waitFor();
  assert.deepEqual(await audit(page), []);
});

scenario("it goes on trial for half of the sessions, and the trial is ended", async () => {
  await newest()
    .getByRole("button", { name: /^Activate/ })
    .click();
  await dialog().getByText("50 % of the sessions, on trial").click();
  await dialog().getByLabel("Reason (optional)").fill("sharper edges");
  assert.deepEqual(await audit(page), []);
  await dialog().getByRole("button", { name: "Put on trial" }).click();
  await region("On trial").getByText("On trial for 50 % of the sessions").waitFor();
  await newest().getByText("On trial", { exact: true }).waitFor();
  await region("History").getByText("“sharper edges”").waitFor();
  assert.deepEqual(await audit(page), []);
  await askToRollBack();
  await region("On trial").waitFor({ state: "detached" });
});

scenario("it becomes active for all, and one step leads back; the QR code stays", async () => {
  await newest()
    .getByRole("button", { name: /^Activate/ })
    .click();
  await dialog().getByRole("button", { name: "Activate" }).click();
  await newest().getByText("Active", { exact: true }).waitFor();
  await askToRollBack();
  await newest().getByText("Active", { exact: true }).waitFor({ state: "detached" });
  await region("History").getByText("Rollback", { exact: true }).first().waitFor();
  await page.getByRole("link", { name: "Sessions" }).click();
  await qrImage(page).waitFor();
  await page.goBack();
  await region("QR renderer").waitFor();
});

scenario("dark and on a phone it is as readable, and nothing sticks out", async () => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 360, height: 740 });
  assert.deepEqual(await audit(page), []);
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  );
  assert.equal(wide, false, "the page scrolls sideways");
});

scenario("nothing went wrong in the page, and the content security policy forbade nothing", () => {
  assert.deepEqual(found, []);
});
