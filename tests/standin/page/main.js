// The page's start, in order: refuse what the real page refuses, read the
// profile, register the modules one by one, open the socket.
// `boot.js` (made by the server for each load) says which faults apply.

import { encodeB64, randomBytes } from './bytes.js';
import { Connection } from './connection.js';
import { beRestless } from './destruction.js';
import { Linking } from './linking.js';
import { Emitter, Model } from './models.js';
import { exposeDebug, moduleGroups } from './modules.js';
import { exposeRequire, registerGradually } from './registry.js';
import { showPasskeyScreen, showSteps, showUnsupportedBrowser } from './screen.js';
import { Vault } from './storage.js';
import { minifyIds } from './wid.js';
import { Wire } from './wire.js';

const boot = window.__standinBoot;
delete window.__standinBoot;

class LinkDeviceEvents extends Emitter {
  triggerRefreshAltLinkingCode = () => this.trigger('link_device_events:refresh_alt_linking_code');
  triggerErrorAltLinking = () => this.trigger('link_device_events:error_alt_linking');
  triggerForceManualRefresh = () => this.trigger('link_device_events:force_manual_refresh');
  triggerPrimaryHelloReceived = () => this.trigger('link_device_events:primary_hello_received');
  triggerPasskeyPrologueRequest = () => this.trigger('link_device_events:passkey_prologue_request');
}

class OfflineHandler {
  #percent = 0;
  getOfflineDeliveryProgress = () => this.#percent;
  setOfflineDeliveryProgress = (percent) => {
    this.#percent = percent;
  };
}

async function start() {
  if (boot.reloadAfterMs !== null) setTimeout(() => location.reload(), boot.reloadAfterMs);
  const headless = boot.settings.refuseHeadless && navigator.userAgent.includes('HeadlessChrome');
  if (headless || boot.unsupportedBrowser) return showUnsupportedBrowser();
  if (boot.neverBoots) return undefined;
  if (boot.minifiedIds) minifyIds();
  if (boot.restlessFrames) beRestless();

  const page = await makePage();
  const linking = new Linking(page);
  await linking.load();
  page.loadLinking = () => linking.load();
  const connection = new Connection(page, linking, (await page.vault.get('link')) ?? null);
  page.linkedAccount = () => connection.link?.account;
  page.Socket.logout = connection.logout;
  page.Socket.takeover = connection.takeover;
  page.Socket.reconnect = connection.open.bind(connection);
  showSteps(page);
  page.LinkDeviceEvents.on('link_device_events:passkey_prologue_request', () => {
    linking.setPairingType('SHORTCAKE_PASSKEY');
    showPasskeyScreen();
  });

  // For the state that the control API shows; the real page sends no such thing.
  page.Socket.on('change', ({ state, hasSynced }) => page.wire.send('state', { state, hasSynced }));
  exposeRequire();
  connection.open();
  await registerGradually(moduleGroups({ page, linking, connection }), boot.settings.moduleStepMs, boot.modules);
  if (!boot.debugMissing) exposeDebug();
}

async function makePage() {
  const page = {
    boot,
    settings: boot.settings,
    vault: null,
    wire: new Wire(),
    Socket: new Model({ state: 'UNLAUNCHED', stream: 'DISCONNECTED', hasSynced: false }),
    Stream: new Model({ mode: 'SYNCING', info: 'OFFLINE' }),
    Conn: new Model({ ref: undefined, pushname: undefined, wid: undefined, lid: undefined, platform: 'android', battery: undefined, plugged: undefined }),
    Cmd: new Emitter(),
    LinkDeviceEvents: new LinkDeviceEvents(),
    OfflineMessageHandler: new OfflineHandler(),
    keys: null,
  };
  page.makeKeys = async () => {
    page.vault = await Vault.open();
    page.keys = await page.vault.getOrMake('keys', () => ({ noise: encodeB64(randomBytes(32)), identity: encodeB64(randomBytes(32)) }));
  };
  await page.makeKeys();
  return page;
}

start().catch(reportError);
