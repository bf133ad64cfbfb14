// The console in a real browser, against the real host and the stand-in for WhatsApp.
// The scenarios follow each other as in a person's first hour: each begins where the
// one before it has ended.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { audit, openBrowser, troubles } from "./browser.mjs";
import { startHost, startStandin, until } from "./processes.mjs";
import { inOrder } from "./scenarios.mjs";
import { isLive, qrImage, setUp, signIn, statusIs } from "./signing-in.mjs";

const PHONE = { phoneNumber: "5511987654321", name: "Maria Oliveira" };
const OTHER_PHONE = { phoneNumber: "14155550123" };

let standin;
let host;
let browser;
let person;
let page;
let found;
const { scenario, failed } = inOrder();

before(async () => {
  // Codes change sooner than the real ones, so that nobody waits for a minute.
  standin = await startStandin({ firstRefMs: 6_000, nextRefMs: 20_000 });
  host = await startHost(standin.url);
  browser = await openBrowser();
  person = await browser.newPerson();
  page = await person.newPage();
  found = troubles(page);
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

const toConsole = (session = "") => page.goto(host.console + session);
const region = (name) => page.getByRole("region", { name });

scenario("a fresh host asks for its set-up link, which makes the first administrator", async () => {
  await toConsole();
  await page.getByText("Open the one-time set-up link").waitFor();
  assert.deepEqual(await audit(page), []);
  await page.goto(await host.setupLink());
  await page.getByRole("heading", { name: "Set up the administrator" }).waitFor();
  assert.deepEqual(await audit(page), []);
  await setUp(page, await host.setupLink());
  assert.equal(page.url(), host.console);
  await statusIs(page, "Disconnected");
  assert.deepEqual(await audit(page), []);
});

scenario("signing out and in again leads back to where one was", async () => {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await toConsole("/shop");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await signIn(page);
  assert.equal(page.url(), `${host.console}/shop`);
});

scenario(
  "a QR code is shown, changes by itself without polling, and links the phone that scans it",
  async () => {
    await toConsole();
    await isLive(page);
    await page.getByRole("button", { name: "Generate QR Code & Pairing Code" }).click();
    await qrImage(page).waitFor();
    await statusIs(page, "QR Ready");
    assert.match(await page.getByRole("timer").textContent(), /New code in \d:\d\d/);
    assert.deepEqual(await audit(page), []);

    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    const first = await qrImage(page).getAttribute("src");
    await until("the QR code changes", async () => (await qrImage(page).getAttribute("src")) !== first);
    assert.deepEqual(
      asked.filter((url) => url.includes("/status/")),
      [],
      "it came by the socket",
    );

    await standin.scan(await qrImage(page).getAttribute("src"), PHONE);
    await page.getByRole("heading", { name: "Device linked successfully" }).waitFor();
    await statusIs(page, "Connected");
    await page.getByText("+55 11 98765-4321").waitFor();
    await region("Sessions").getByText(PHONE.name).waitFor();
    await region("History").getByText("Connected", { exact: true }).first().waitFor();
    assert.deepEqual(await audit(page), []);
  },
);

scenario(
  "the host restarts while the page is open: the page comes back by itself, still signed in and linked",
  async () => {
    await host.stop();
    await page
      .getByRole("status")
      .filter({ hasText: /^(Reconnecting|Offline)/ })
      .waitFor();
    await host.start();
    await isLive(page);
    await statusIs(page, "Connected");
    await page.getByText("+55 11 98765-4321").waitFor();
  },
);

scenario("the phone removes the device: the page says so at once", async () => {
  await standin.unlink(PHONE.phoneNumber);
  await page.getByRole("heading", { name: "Unlinked from the phone" }).waitFor();
  await statusIs(page, "Disconnected");
  await page.getByRole("button", { name: "Generate QR Code & Pairing Code" }).waitFor();
  assert.deepEqual(await audit(page), []);
});

scenario("the host restarts while a QR code is shown: the old one goes and a new one comes", async () => {
  await page.getByRole("button", { name: "Generate QR Code & Pairing Code" }).click();
  await qrImage(page).waitFor();
  const old = await qrImage(page).getAttribute("src");
  await host.stop();
  await host.start();
  await isLive(page);
  await until("a new QR code is shown", async () => {
    const shown = await qrImage(page).all();
    return shown.length > 0 && (await shown[0].getAttribute("src")) !== old;
  });
});

scenario("a new session is linked by a pairing code", async () => {
  await page.getByRole("button", { name: "New session" }).click();
  await page.getByRole("dialog").getByLabel("Session name").fill("by-code");
  assert.deepEqual(await audit(page), []);
  await page.getByRole("button", { name: "Create and generate code" }).click();
  await page.getByRole("heading", { level: 1, name: "by-code" }).waitFor();
  await statusIs(page, "QR Ready");
  await page.getByRole("tab", { name: "Use phone number" }).click();
  await page.getByLabel("Phone number", { exact: true }).fill("12");
  await page.getByRole("button", { name: "Request Code" }).click();
  await page.getByText(/Enter the number with its country code/).waitFor();
  await page.getByLabel("Phone number", { exact: true }).fill("+1 415 555 0123");
  await page.getByRole("button", { name: "Request Code" }).click();
  const shown = page.getByLabel(/^Your pairing code:/);
  await shown.waitFor();
  const code = await shown.textContent();
  assert.match(code, /^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
  assert.match(await page.getByRole("timer").textContent(), /Expires in \d:\d\d/);
  await page.getByRole("button", { name: "Copy code" }).waitFor();
  assert.deepEqual(await audit(page), []);
  await standin.enterCode(code, OTHER_PHONE);
  await page.getByRole("heading", { name: "Device linked successfully" }).waitFor();
  await page.getByText("+1 415 555-0123").first().waitFor();
});

scenario("two tabs that renew their sign-in at once both stay signed in", async () => {
  const second = await person.newPage();
  await second.goto(`${host.console}/by-code`);
  await isLive(second);
  for (let round = 0; round < 3; round += 1) {
    await Promise.all([page.reload(), second.reload()]);
    await Promise.all([page, second].map((tab) => isLive(tab)));
  }
  await statusIs(second, "Connected");
  await second.close();
});

scenario("disconnecting keeps the link, and reconnecting goes on with it", async () => {
  await page.goto(`${host.console}/by-code`);
  await page.getByRole("button", { name: "Actions for by-code" }).first().click();
  assert.deepEqual(await audit(page), []);
  await page.getByRole("menuitem", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await statusIs(page, "Disconnected");
  await page.getByRole("heading", { name: "Stopped" }).waitFor();
  await page.getByRole("button", { name: "Reconnect" }).click();
  await statusIs(page, "Connected");
});

scenario("logging out and deleting are asked about, and done", async () => {
  await page.getByRole("button", { name: "Actions for by-code" }).first().click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page
    .getByRole("dialog", { name: "Log out by-code?" })
    .getByRole("button", { name: "Log out" })
    .click();
  await page.getByRole("heading", { name: "Logged out" }).waitFor();
  await page.getByRole("button", { name: "Actions for by-code" }).first().click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete session" }).click();
  await page.getByText("by-code is deleted").waitFor();
  await page.getByRole("heading", { level: 1, name: "pairing-console" }).waitFor();
  assert.equal(await region("Sessions").getByText("by-code").count(), 0);
});

scenario("the keyboard reaches the content, and a dialog gives the focus back", async () => {
  await toConsole();
  await isLive(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  const opener = page.getByRole("button", { name: "New session" });
  await opener.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.ok(await opener.evaluate((element) => element === document.activeElement));
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
