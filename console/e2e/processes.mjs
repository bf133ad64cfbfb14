// The real host and the real stand-in for WhatsApp, on free ports and in folders of
// their own. Everything that is started is ended by its process id.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Guards against hanging; nothing takes that long. */
const DEADLINE_MS = 90_000;

export async function until(what, ask) {
  const begun = Date.now();
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() - begun > DEADLINE_MS) throw new Error(`waited in vain: ${what}`);
    await sleep(25);
  }
}

const built = (name) => fileURLToPath(new URL(`../../target/debug/${name}`, import.meta.url));
const HOST = process.env.PAIRING_HOST_BIN ?? built("pairing-host");
const STANDIN = process.env.STANDIN_BIN ?? built("standin");

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function start(binary, args, env, cwd) {
  const child = spawn(binary, args, {
    cwd,
    env: { PATH: "/usr/bin:/bin", HOME: cwd, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.output = "";
  child.log = "";
  child.stdout.on("data", (data) => {
    child.output += data;
  });
  child.stderr.on("data", (data) => {
    child.log += data;
  });
  child.once("error", (error) => {
    child.log += error.message;
  });
  return child;
}

const hasEnded = (child) => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

export async function end(child, signal = "SIGTERM") {
  if (hasEnded(child)) return;
  child.kill(signal);
  const patience = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await until("a process ends", () => hasEnded(child));
  clearTimeout(patience);
}

async function post(url, body) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** WhatsApp Web, its server, and the phone. */
export async function startStandin(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), "console-e2e-standin-"));
  const args = ["--listen", "127.0.0.1:0", "--settings", JSON.stringify(settings)];
  const child = start(STANDIN, args, {}, folder);
  const line = await until("the stand-in is up", () => {
    if (hasEnded(child)) throw new Error(`the stand-in has ended:\n${child.log}`);
    return /^\{.*\}$/m.exec(child.output)?.[0];
  });
  const { url } = JSON.parse(line);
  return {
    url,
    /** The phone points its camera at the image that the console shows. */
    scan: (image, phone = {}) => post(`${url}__standin/phone/scan`, { image, ...phone }),
    enterCode: (code, phone) => post(`${url}__standin/phone/enter-code`, { code, ...phone }),
    /** The page of WhatsApp's that was loaded last. */
    async newestPage() {
      const { pages } = await (await fetch(`${url}__standin/state`)).json();
      return pages.toSorted((one, other) => other.connection - one.connection)[0];
    },
    /** Something goes wrong from now on, once. */
    fault: (kind, options = {}) => post(`${url}__standin/faults`, { kind, ...options }),
    unlink: (phoneNumber) => post(`${url}__standin/phone/unlink`, { phoneNumber }),
    async close() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function startHost(whatsappWebUrl, settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), "console-e2e-host-"));
  // The browser's user has to pass through.
  chmodSync(folder, 0o711);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    PAIRING_MODE: "development",
    PAIRING_LISTEN: `127.0.0.1:${port}`,
    PAIRING_DATA_DIR: join(folder, "data"),
    PAIRING_WHATSAPP_WEB_URL: whatsappWebUrl,
    ...settings,
  };
  let child;
  const host = {
    url,
    console: `${url}/admin/whatsapp-pairing`,
    /** Ready to serve; on the same folder and port as before. */
    async start() {
      child = start(HOST, ["serve"], env, folder);
      await until("the host is ready", async () => {
        if (hasEnded(child)) throw new Error(`the host has ended:\n${child.log}`);
        const answer = await fetch(`${url}/health/ready`).catch(() => null);
        return answer?.ok;
      });
    },
    stop: () => end(child),
    /** The link for the first administrator, as printed. */
    setupLink: () =>
      until("the set-up link is printed", () => /http\S+\/admin\/setup#\S+/.exec(child.output)?.[0]),
    log: () => child.log,
    /** What this command of the host's binary prints; `input` is what it reads. */
    command(args, input = "") {
      const run = (words, more = {}) =>
        execFileSync(HOST, words, {
          cwd: folder,
          env: { PATH: "/usr/bin:/bin", HOME: folder, ...env, ...more },
          encoding: "utf8",
          input,
        });
      return run(args, { PAIRING_URL: url, PAIRING_TOKEN: run(["token"]).trim() });
    },
    async close() {
      await end(child);
      endAllOn(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await host.start();
  return host;
}

/** What the host should have ended itself must not outlive the tests all the same. */
function endAllOn(folder) {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder)) process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}
