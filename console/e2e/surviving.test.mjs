// What the console shows when WhatsApp's page fails a linked session, and when the page
// itself has changed: in a real browser, against the real host. The scenarios follow each
// other.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { audit, openBrowser, troubles } from "./browser.mjs";
import { startHost, startStandin, until } from "./processes.mjs";
import { inOrder } from "./scenarios.mjs";
import { qrImage, setUp, statusIs } from "./signing-in.mjs";

/** A repair takes its steps; nothing takes that long. */
const PATIENCE = { timeout: 180_000 };

let standin;
let host;
let browser;
let page;
let found;
const { scenario, failed } = inOrder();

before(async () => {
  standin = await startStandin();
  host = await startHost(standin.url, { PAIRING_PAGE_HOOKS_CANARY_EVERY: "off" });
  browser = await openBrowser();
  page = await (await browser.newPerson()).newPage();
  found = troubles(page);
  await setUp(page, await host.setupLink());
  await page.getByRole("button", { name: "Generate QR Code & Pairing Code" }).click();
  await qrImage(page).waitFor();
  await standin.scan(await qrImage(page).getAttribute("src"), {
    phoneNumber: "5511987654321",
    name: "Maria",
  });
  await statusIs(page, "Connected");
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

scenario("a page that hangs is shown as such, what was seen can be opened, and it comes back", async () => {
  const hung = await standin.newestPage();
  await standin.fault("hang", { ms: 0 });
  await page.getByRole("heading", { name: "Linked, but not answering" }).waitFor(PATIENCE);
  assert.deepEqual(await audit(page), []);
  const open = region("History")
    .getByRole("button", { name: /^What was seen at/ })
    .first();
  await open.waitFor(PATIENCE);
  await open.click();
  await dialog().getByText("Done next").waitFor();
  assert.deepEqual(await audit(page), []);
  await dialog().getByRole("button", { name: "Close" }).click();
  await until("another page is linked", async () => {
    const now = await standin.newestPage();
    return now?.hasSynced && now.connection > hung.connection;
  });
  await page
    .getByRole("status", { name: "Status" })
    .getByText("Connected", { exact: true })
    .waitFor(PATIENCE);
});

scenario("a link in use elsewhere says when it is taken back, and is at once when asked", async () => {
  await standin.fault("conflict");
  await page.getByRole("heading", { name: "In use elsewhere" }).waitFor(PATIENCE);
  await page.getByText(/next try in \d+ s/).waitFor();
  assert.deepEqual(await audit(page), []);
  await page.getByRole("button", { name: "Try now" }).click();
  await page
    .getByRole("status", { name: "Status" })
    .getByText("Connected", { exact: true })
    .waitFor(PATIENCE);
});

scenario("the page is looked at, and all that is known of it is there", async () => {
  await page
    .getByRole("navigation", { name: "Pages" })
    .getByRole("link", { name: "Page knowledge", exact: true })
    .click();
  await page.getByText("The host's own file").waitFor();
  await page.getByRole("button", { name: "Look now" }).click();
  await page.getByText("All parts are there").waitFor(PATIENCE);
  assert.deepEqual(await audit(page), []);
});

scenario("a file that the command line pushed is used and taken back", async () => {
  const digest = JSON.parse(host.command(["hooks", "show", "--json"])).inUse.digest;
  const text = JSON.parse(host.command(["hooks", "show", digest, "--json"]));
  const said = host.command(["hooks", "push", "-"], `# corrected\n${text}`);
  const version = /^version ([0-9a-f]{12}) is in;/.exec(said)?.[1];
  assert.ok(version, said);
  const use = page.getByRole("button", { name: `Use ${version}` });
  await use.waitFor(PATIENCE);
  await use.click();
  await dialog().getByRole("button", { name: "Use it" }).click();
  await page.getByText("A pushed file").waitFor();
  assert.deepEqual(await audit(page), []);
  await page.getByRole("button", { name: "Roll back" }).click();
  await dialog().getByRole("button", { name: "Roll back" }).click();
  await page.getByText("The host's own file", { exact: true }).first().waitFor();
  await region("Changes")
    .getByText(/Rolled back to The host's own file/)
    .waitFor();
});

scenario("a page that has changed raises an alert above every page", async () => {
  await standin.fault("moduleMissing", { module: "WAWebCmd" });
  await page.getByRole("button", { name: "Look now" }).click();
  await page.getByText("The page has changed").waitFor(PATIENCE);
  await region("Alerts").getByText("WhatsApp Web has changed").waitFor();
  assert.deepEqual(await audit(page), []);
  await page.getByRole("button", { name: "Look now" }).click();
  await page.getByText("All parts are there").waitFor(PATIENCE);
  await region("Alerts").waitFor({ state: "detached" });
});

scenario("nothing went wrong in the page all the while", async () => {
  assert.deepEqual(found, []);
});
