// The independent judge of the stand-in: the unmodified whatsapp-web.js links
// against it, by QR and by code, and is unlinked by the phone. A stand-in that
// only our own driver understands would prove nothing.
//
// node judge.mjs '{"control": "http://127.0.0.1:1/", "httpsPort": 2, "spki": "…", "folder": "/tmp/…"}'
// Exit code 0 only if every step happened; each step is a line on stdout.

import { createRequire } from 'node:module';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

const { Client, LocalAuth } = createRequire(import.meta.url)('whatsapp-web.js');

const STEP_DEADLINE_MS = 60_000;
const { control, httpsPort, spki, folder, chromium = '/usr/bin/chromium' } = JSON.parse(process.argv[2]);

const started = Date.now();
let failedEarly = null;

function step(text) {
  console.log(`${String(Date.now() - started).padStart(6)} ms  ${text}`);
}

function fail(error) {
  console.error(`judge failed: ${error?.stack ?? error}`);
  process.exit(1);
}

// whatsapp-web.js leaves some promises to themselves; one that fails is a failure.
process.on('unhandledRejection', (error) => {
  if (failedEarly === 'ignore') return;
  fail(error);
});

async function phone(action, body) {
  const answer = await fetch(`${control}__standin/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${action} was refused: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

function makeClient(profile, options = {}) {
  return new Client({
    authStrategy: new LocalAuth({ clientId: profile, dataPath: path.join(folder, 'profiles') }),
    webVersionCache: { type: 'none' },
    puppeteer: {
      executablePath: chromium,
      headless: true,
      args: [
        `--host-resolver-rules=MAP web.whatsapp.com 127.0.0.1:${httpsPort}`,
        `--ignore-certificate-errors-spki-list=${spki}`,
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
        '--disable-quic',
      ],
    },
    ...options,
  });
}

/** The first value of an event, or an error naming what did not come. */
function event(client, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no '${name}' within ${STEP_DEADLINE_MS} ms`)), STEP_DEADLINE_MS);
    client.once(name, (value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took over ${STEP_DEADLINE_MS} ms`)), STEP_DEADLINE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function expect(condition, what) {
  if (!condition) throw new Error(`expected ${what}`);
}

async function linkByQr() {
  const client = makeClient('qr');
  const [qr, authenticated, ready] = [event(client, 'qr'), event(client, 'authenticated'), event(client, 'ready')];
  await within('initialize', client.initialize());
  const payload = await qr;
  expect(payload.startsWith('2@') && payload.split(',').length === 5, `a QR of five fields, not ${payload}`);
  step('qr: emitted');
  await phone('phone/scan', { payload, phoneNumber: '5511912345678', name: 'Judge' });
  step('qr: scanned by the phone');
  await authenticated;
  step('qr: authenticated');
  await ready;
  expect(client.info.wid.user === '5511912345678' && client.info.pushname === 'Judge', `the account that scanned, not ${JSON.stringify(client.info.wid)}`);
  expect((await client.getState()) === 'CONNECTED', 'state CONNECTED');
  step(`qr: ready as ${client.info.wid._serialized}`);
  await within('destroy', client.destroy());
}

async function restartStaysLinked() {
  const client = makeClient('qr');
  client.on('qr', () => fail(new Error('a linked profile asked for a QR after the restart')));
  const ready = event(client, 'ready');
  await within('initialize', client.initialize());
  await ready;
  step('restart: ready without a QR');
  await within('destroy', client.destroy());
}

async function linkByCode() {
  const client = makeClient('code');
  const [ready] = [event(client, 'ready')];
  client.on('qr', () => {});
  await within('initialize', client.initialize());
  const code = await within('requestPairingCode', client.requestPairingCode('5511955554444'));
  expect(/^[1-9A-HJ-NP-Z]{8}$/.test(code), `a code of eight characters, not ${code}`);
  step('code: received');
  await phone('phone/enter-code', { phoneNumber: '5511955554444', code });
  step('code: typed into the phone');
  await ready;
  expect(client.info.wid.user === '5511955554444', 'the account that typed the code');
  step(`code: ready as ${client.info.wid._serialized}`);
  return client;
}

async function phoneUnlinks(client) {
  // After the logout it deletes its profile under the running browser and
  // injects again; what fails in that clean-up is not ours to judge.
  const disconnected = event(client, 'disconnected');
  failedEarly = 'ignore';
  const { removed } = await phone('phone/unlink', { phoneNumber: '5511955554444' });
  expect(removed === 1, `one device removed, not ${removed}`);
  const reason = await disconnected;
  expect(reason === 'LOGOUT', `reason LOGOUT, not ${reason}`);
  step('unlinked by the phone: disconnected LOGOUT');
  await within('destroy', client.destroy()).catch(() => client.pupBrowser?.process()?.kill('SIGKILL'));
}

mkdirSync(folder, { recursive: true });
process.chdir(folder);
try {
  await linkByQr();
  await restartStaysLinked();
  await phoneUnlinks(await linkByCode());
  step('judge is content');
  process.exit(0);
} catch (error) {
  fail(error);
}
