// A real Chromium with its sandbox on, and pages in it that notice what a person would
// not see: errors, and what the content security policy forbids.
import { spawn } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import { chromium } from "playwright-core";
import { end, until } from "./processes.mjs";

const FLAGS = [
  "--headless=new",
  "--remote-debugging-port=0",
  "--hide-scrollbars",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
];
const NOBODY = 65534;

export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), "console-e2e-browser-"));
  const command = [
    process.env.CHROMIUM ?? "/usr/bin/chromium",
    ...FLAGS,
    `--user-data-dir=${profile}`,
    "about:blank",
  ];
  // Chromium's sandbox refuses root, and we don't do without the sandbox.
  if (process.getuid() === 0) {
    chownSync(profile, NOBODY, NOBODY);
    command.unshift("setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups");
  }
  const child = spawn(command[0], command.slice(1), {
    cwd: profile,
    env: { PATH: process.env.PATH, HOME: profile },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (data) => {
    said += data;
  });
  const address = await until("Chromium is up", () => /DevTools listening on (ws:\S+)/.exec(said)?.[1]).catch(
    (error) => {
      throw new Error(`${error.message}\n${said}`);
    },
  );
  const browser = await chromium.connectOverCDP(address);
  return {
    /** A person's browser: cookies of its own. */
    async newPerson(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
      context.setDefaultTimeout(60_000);
      await context.addInitScript(axe.source);
      await context.addInitScript(() => {
        document.addEventListener("securitypolicyviolation", (event) =>
          console.error(`forbidden by ${event.violatedDirective}: ${event.blockedURI} ${event.sample}`),
        );
      });
      return context;
    },
    async close() {
      await browser.close();
      await end(child);
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Collects what goes wrong in a page. Refused requests are part of some tests, so they don't count. */
export function troubles(page) {
  const found = [];
  page.on("pageerror", (error) => found.push(String(error)));
  page.on("console", (message) => {
    const isRequest = /^(Failed to load resource|WebSocket connection)/.test(message.text());
    if (message.type() === "error" && !isRequest) found.push(message.text());
  });
  return found;
}

/** What axe finds, in words; nothing is as it should be. */
export async function audit(page) {
  // Colours on their way are no colours to judge.
  await page.waitForFunction(() =>
    document.getAnimations().every((one) => one.constructor.name !== "CSSTransition"),
  );
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`),
  );
}
