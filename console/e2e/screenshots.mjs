// Pictures for the README, from the running host: screenshots/{qr,code,connected,phone,plugins}.png
import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { openBrowser } from "./browser.mjs";
import { startHost, startStandin } from "./processes.mjs";
import { qrImage, setUp, statusIs } from "./signing-in.mjs";

const folder = fileURLToPath(new URL("../screenshots/", import.meta.url));
const LARGEST = 150 * 1024;

const standin = await startStandin();
const host = await startHost(standin.url);
const browser = await openBrowser();

async function shoot(page, name) {
  // The pointer and what it hovers over are no part of the picture.
  await page.mouse.move(0, 0);
  await page.waitForTimeout(600);
  const path = `${folder}${name}.png`;
  await page.screenshot({ path });
  const { size } = statSync(path);
  if (size > LARGEST) throw new Error(`${path} has ${size} bytes, more than ${LARGEST}`);
  console.log(`${path}: ${Math.ceil(size / 1024)} KB`);
}

try {
  mkdirSync(folder, { recursive: true });
  const person = await browser.newPerson({ viewport: { width: 1180, height: 760 } });
  const page = await person.newPage();
  await setUp(page, await host.setupLink());

  // A session that is linked already gives the list some life.
  await page.goto(`${host.console}/sales`);
  await page.getByRole("button", { name: /^Generate/ }).click();
  await qrImage(page).waitFor();
  await standin.scan(await qrImage(page).getAttribute("src"), {
    phoneNumber: "5511987654321",
    name: "Maria Oliveira",
  });
  await statusIs(page, "Connected");

  await page.goto(host.console);
  await page.getByRole("button", { name: /^Generate/ }).click();
  await qrImage(page).waitFor();
  await shoot(page, "qr");

  const phone = await person.newPage();
  await phone.setViewportSize({ width: 390, height: 844 });
  await phone.emulateMedia({ colorScheme: "dark" });
  await phone.goto(host.console);
  await qrImage(phone).waitFor();
  await shoot(phone, "phone");
  await phone.close();

  await page.getByRole("tab", { name: "Use phone number" }).click();
  await page.getByLabel("Phone number", { exact: true }).fill("+1 415 555 0123");
  await page.getByRole("button", { name: "Request Code" }).click();
  const code = page.getByLabel(/^Your pairing code:/);
  await code.waitFor();
  await shoot(page, "code");

  await standin.enterCode(await code.textContent(), { phoneNumber: "14155550123", name: "Support" });
  await page.getByRole("heading", { name: "Device linked successfully" }).waitFor();
  await statusIs(page, "Connected");
  await shoot(page, "connected");

  await page.getByRole("link", { name: "Plugins", exact: true }).click();
  await page.getByRole("button", { name: /^Replay/ }).click();
  await page.getByRole("region", { name: "Replay report" }).waitFor();
  await page.setViewportSize({ width: 1180, height: 920 });
  await shoot(page, "plugins");
} finally {
  await browser.close();
  await host.close();
  await standin.close();
}
