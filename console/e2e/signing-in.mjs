// What several scenarios begin with.

export const ADMIN = { username: "maria", password: "four calm turtles paint windows" };

/** Sets the first administrator up by the printed link; leads to the console. */
export async function setUp(page, link) {
  await page.goto(link);
  await page.getByLabel("User name").fill(ADMIN.username);
  await page.getByLabel("Password", { exact: true }).fill(ADMIN.password);
  await page.getByLabel("Repeat the password").fill(ADMIN.password);
  await page.getByRole("button", { name: "Create administrator" }).click();
  await isLive(page);
}

export async function signIn(page) {
  await page.getByLabel("User name").fill(ADMIN.username);
  await page.getByLabel("Password").fill(ADMIN.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await isLive(page);
}

/** The socket is up. */
export const isLive = (page) => page.getByRole("status").filter({ hasText: /^Live/ }).waitFor();

export const statusIs = (page, text) =>
  page.getByRole("status", { name: "Status" }).getByText(text, { exact: true }).waitFor();

export const qrImage = (page) => page.getByRole("img", { name: "QR code to scan with WhatsApp" });
