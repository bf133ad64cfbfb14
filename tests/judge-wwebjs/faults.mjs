// Each fault of the stand-in, met in a real Chromium: what the page shows when
// it strikes. Run by tests/standin/tests/judge.rs with the same options as
// judge.mjs; exit code 0 only if every fault did what it says.

import { createRequire } from 'node:module';

const puppeteer = createRequire(import.meta.url)('puppeteer');
const { control, chromium = '/usr/bin/chromium' } = JSON.parse(process.argv[2]);
const DEADLINE_MS = 30_000;
const PHONE = '5511987654321';

async function post(action, body) {
  const answer = await fetch(`${control}__standin/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answer.json();
}

const state = async () => (await fetch(`${control}__standin/state`)).json();
const strike = (kind, fields = {}) => post('faults', { kind, ...fields });

const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ['--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'],
});
const [page] = await browser.pages();

/** What a driver sees of the page, as one line. */
const look = () =>
  page
    .evaluate(() => {
      if (!window.require) return document.body.innerText;
      const { Socket } = window.require('WAWebSocketModel');
      return `${Socket.state}${Socket.hasSynced ? ' synced' : ''}${window.require('WAWebConnModel').Conn.ref ? ' ref' : ''} ${location.search}`;
    })
    .catch((error) => `(${error.message})`);

async function until(wanted, read = look) {
  const end = Date.now() + DEADLINE_MS;
  let seen;
  while (Date.now() < end) {
    seen = await read();
    if (wanted.test(seen)) return seen;
    await new Promise((done) => setTimeout(done, 30));
  }
  throw new Error(`expected ${wanted}, saw ${seen}`);
}

function expect(seen, wanted) {
  if (!wanted.test(String(seen))) throw new Error(`expected ${wanted}, saw ${seen}`);
}

const qr = () =>
  page.evaluate(async () => {
    const { encodeB64 } = window.require('WABase64');
    const { identityKeyPair } = await window.require('WAWebSignalStoreApi').waSignalStore.getRegistrationInfo();
    const { staticKeyPair } = await window.require('WAWebUserPrefsInfoStore').waNoiseInfo.get();
    const adv = window.require('WAWebUserPrefsMultiDevice').getADVSecretKey();
    return [window.require('WAWebConnModel').Conn.ref, encodeB64(staticKeyPair.pubKey), encodeB64(identityKeyPair.pubKey), adv, 1].join(',');
  });

const askCode = (number = PHONE) =>
  page.evaluate(async (phoneNumber) => {
    const api = window.require('WAWebAltDeviceLinkingApi');
    api.setPairingType('ALT_DEVICE_LINKING');
    await api.initializeAltDeviceLinking();
    const silence = new Promise((done) => setTimeout(() => done('silence'), 4000));
    return Promise.race([api.startAltLinkingFlow(phoneNumber, true), silence]).catch((error) => `refused ${error.type.value.code} ${error.type.name}`);
  }, number);

const moduleThere = (id) =>
  page.evaluate((name) => {
    try {
      return window.require(name) && 'there';
    } catch (error) {
      return error.message;
    }
  }, id);

const allRegistered = () => until(/true/, () => page.evaluate(() => Boolean(window.Debug?.VERSION)).then(String).catch(String));
const fresh = async () => {
  await page.goto(control);
  await until(/^UNPAIRED ref/);
  await allRegistered();
};
const link = async () => {
  await fresh();
  expect((await post('phone/scan', { payload: await qr(), phoneNumber: PHONE })).via, /qr/);
  await until(/^CONNECTED synced/);
};
const unlink = async () => {
  await post('phone/unlink', { phoneNumber: PHONE });
  await until(/post_logout=1/);
};

const UNLINKED = {
  async restlessFrames() {
    await strike('restlessFrames');
    await fresh();
    await until(/^#\d+ [12]$/, () => page.evaluate(() => `${location.hash} ${window.frames.length}`));
  },
  async pageStatus() {
    await strike('pageStatus', { status: 503 });
    expect((await page.goto(control)).status(), /503/);
  },
  async moduleMissing() {
    await strike('moduleMissing', { module: 'WAWebCmd' });
    await fresh();
    expect(await moduleThere('WAWebCmd'), /Requiring unknown module "WAWebCmd"/);
  },
  async moduleLate() {
    await strike('moduleLate', { module: 'WAWebCmd', ms: 5000 });
    await fresh();
    expect(await moduleThere('WAWebCmd'), /unknown module/);
    await until(/there/, () => moduleThere('WAWebCmd'));
  },
  async unsupportedBrowser() {
    await strike('unsupportedBrowser');
    await page.goto(control);
    await until(/Update your browser/);
  },
  async neverOpens() {
    await strike('neverOpens');
    await page.goto(control);
    await allRegistered();
    expect(await look(), /^OPENING/);
  },
  async blocked() {
    await strike('blocked', { state: 'PROXYBLOCK' });
    await page.goto(control);
    await until(/^PROXYBLOCK/);
  },
  async reloadWhileUnpaired() {
    const { boots } = await state();
    await strike('reloadWhileUnpaired', { ms: 300 });
    await page.goto(control);
    await until(/true/, async () => String((await state()).boots >= boots + 2));
    await until(/^UNPAIRED ref/);
  },
  async reloadDuringInjection() {
    const { boots } = await state();
    await strike('reloadDuringInjection', { ms: 60 });
    await page.goto(control).catch(() => {});
    await until(/true/, async () => String((await state()).boots >= boots + 2));
    await until(/^UNPAIRED ref/);
  },
  async shortRefs() {
    await strike('shortRefs', { ms: 100 });
    await page.goto(control);
    await until(/^UNPAIRED_IDLE/);
  },
  async refsRunOut() {
    await fresh();
    await strike('refsRunOut');
    await until(/^UNPAIRED_IDLE/);
    expect((await post('phone/scan', { payload: await qr() })).error, /qr_expired/);
    await page.evaluate(() => window.require('WAWebLaunchSocketUtils').refreshQR());
    await until(/^UNPAIRED ref/);
  },
  async rotateRef() {
    await fresh();
    const before = await qr();
    await strike('rotateRef');
    await until(/true/, async () => String((await qr()) !== before));
    expect((await post('phone/scan', { payload: before })).error, /qr_expired/);
  },
  async codeRefused() {
    await fresh();
    await strike('codeRefused', { status: 429 });
    expect(await askCode(), /refused 429 IQErrorRateOverlimit/);
    await strike('codeRefused', { status: 400 });
    expect(await askCode(), /refused 400 IQErrorBadRequest/);
  },
  async codeHangs() {
    await fresh();
    await strike('codeHangs');
    expect(await askCode(), /^silence$/);
  },
  async codeOutlivesRefs() {
    await fresh();
    const code = await askCode();
    await strike('refsRunOut');
    await until(/^UNPAIRED_IDLE/);
    expect((await post('phone/enter-code', { phoneNumber: PHONE, code })).via, /code/);
    await until(/^CONNECTED synced/);
    await unlink();
  },
  async passkeyRequired() {
    await fresh();
    await strike('passkeyRequired');
    expect((await post('phone/scan', { payload: await qr() })).error, /passkey_required/);
    await until(/passkey/, () => page.evaluate(() => document.body.innerText));
  },
  async reloadAfterLink() {
    await fresh();
    await strike('reloadAfterLink', { ms: 10 });
    expect((await post('phone/scan', { payload: await qr(), phoneNumber: PHONE })).via, /qr/);
    await until(/^CONNECTED synced/);
    await unlink();
  },
};

const LINKED = {
  async neverReady() {
    await strike('neverReady');
    await page.reload();
    await until(/^CONNECTED /);
    await new Promise((done) => setTimeout(done, 1500));
    expect(await look(), /^CONNECTED (?!synced)/);
    await page.reload();
    await until(/^CONNECTED synced/);
  },
  async socketLost() {
    await strike('socketLost', { ms: 4000 });
    await until(/^TIMEOUT/);
    await until(/^CONNECTED synced/);
  },
  async conflict() {
    await strike('conflict');
    await until(/^CONFLICT/);
    await page.evaluate(() => window.require('WAWebSocketModel').Socket.takeover());
    await until(/^CONNECTED synced/);
  },
  async hang() {
    const asked = Date.now();
    await strike('hang', { ms: 1000 });
    await until(/true/, async () => (await look(), String(Date.now() - asked > 900)));
  },
  async says() {
    const said = new Promise((done) => page.once('pageerror', (error) => done(error.message)));
    await strike('says', { text: 'something is wrong' });
    expect(await said, /something is wrong/);
  },
  async shows() {
    await strike('shows', { testId: 'a-screen' });
    await until(/true/, () => page.evaluate(() => String(document.querySelector('[data-testid="a-screen"]') !== null)));
  },
  async forgetsDrivers() {
    await page.evaluate(() => Object.defineProperty(window, '_0123456789abcdef', { value: 1, configurable: true }));
    await strike('forgetsDrivers');
    await until(/undefined/, () => page.evaluate(() => typeof window._0123456789abcdef));
  },
  async busy() {
    const asked = Date.now();
    await strike('busy', { ms: 700, pauseMs: 20 });
    await until(/true/, async () => (await look(), String(Date.now() - asked > 1500)));
    await page.reload();
    await until(/^CONNECTED synced/);
  },
  async logoutWithoutNavigation() {
    await strike('logout', { navigate: false, event: 'logout' });
    await until(/^UNPAIRED ref \s*$/);
    await link();
  },
  async logout() {
    await strike('logout');
    await until(/^UNPAIRED ref .*post_logout=1/);
  },
  async logoutBecause() {
    await link();
    await strike('logoutBecause', { reason: 'client_version_outdated', navigate: true });
    await until(/^UNPAIRED ref .*post_logout=1&logout_reason=client_version_outdated/);
  },
  async rendererCrash() {
    const crashed = new Promise((done) => page.once('error', done));
    await strike('rendererCrash');
    await crashed;
  },
};

async function run(name, check) {
  await post('faults/clear', {}).catch(() => {});
  await check();
  console.log(`${name}: as it says`);
}

try {
  for (const [name, check] of Object.entries(UNLINKED)) await run(name, check);
  await link();
  for (const [name, check] of Object.entries(LINKED)) await run(name, check);
  console.log('every fault does what it says');
  await browser.close();
  process.exit(0);
} catch (error) {
  console.error(`fault check failed: ${error?.stack ?? error}`);
  await browser.close();
  process.exit(1);
}
