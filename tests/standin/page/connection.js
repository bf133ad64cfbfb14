// The life of the socket: opening, linking, syncing, losing it, logging out.
// It moves Socket, Stream and Conn; the modules only show them.

import { decodeB64 } from './bytes.js';
import { beBusy, destroyRenderer, forgetDrivers, hang, say } from './destruction.js';
import { showElement } from './screen.js';
import { wid } from './wid.js';

const RETRY_MS = [300, 1000, 2000, 5000];

/** By what the real page could tell a driven browser; only for the state of the control API. */
const browserSigns = async () => ({
  hints: (await navigator.userAgentData?.getHighEntropyValues(['fullVersionList', 'uaFullVersion', 'platformVersion', 'architecture', 'bitness', 'formFactors'])) ?? null,
  webdriver: navigator.webdriver,
  chrome: typeof window.chrome,
  plugins: navigator.plugins.length,
  languages: navigator.languages,
});

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export class Connection {
  #page;
  #linking;
  #link;
  #retries = 0;
  #syncRun = 0;

  constructor(page, linking, link) {
    this.#page = page;
    this.#linking = linking;
    this.#link = link;
  }

  get link() {
    return this.#link;
  }

  open() {
    // Silently: the real page says "synced" anew and never "not synced".
    this.#page.Socket.set({ hasSynced: false }, { silent: true });
    this.#page.Socket.set({ state: 'OPENING' });
    this.#page.Stream.set({ info: 'OPENING' });
    this.#reopen();
  }

  #reopen() {
    this.#page.wire.open({
      onFrame: (frame) => this.#receive(frame).catch(reportError),
      onClose: () => this.#lost(),
    });
  }

  /** New refs: the socket is reopened, as in the real page. */
  refreshQr = () => {
    if (this.#link) return;
    this.#linking.socketReopened();
    this.#linking.stopRefs();
    this.open();
  };

  takeover = () => {
    this.open();
  };

  // --- frames ------------------------------------------------------------

  async #receive(frame) {
    const { vault, wire, Socket, Conn, Cmd } = this.#page;
    switch (frame.type) {
      case 'challenge': {
        const link = this.#link && { deviceId: this.#link.deviceId, proof: await vault.prove(frame.nonce) };
        const { noise, identity } = this.#page.keys;
        const { number, browser } = this.#page.boot;
        return wire.send('hello', { boot: number, browser, noise, identity, userAgent: navigator.userAgent, browserSigns: await browserSigns(), link });
      }
      case 'pair-device':
        this.#retries = 0;
        this.#page.Stream.set({ mode: 'QR', info: 'PAIRING' });
        return this.#linking.startRefs(frame);
      case 'companion-hello-answer':
        return this.#linking.answerCompanionHello(frame);
      case 'primary-hello':
        return this.#linking.primaryHello();
      case 'pair-success':
        return this.#paired(frame);
      case 'passkey-required':
        return this.#page.LinkDeviceEvents.triggerPasskeyPrologueRequest();
      case 'login-ok':
        this.#retries = 0;
        Conn.set({ pushname: frame.account.name, wid: wid(frame.account.phoneNumber, 'c.us'), lid: wid(frame.account.lid, 'lid') });
        Socket.set({ state: 'CONNECTED', stream: 'SYNCING' });
        return this.#sync(frame);
      case 'login-refused':
        return this.#loggedOut({ event: 'logout_from_bridge', navigate: true });
      case 'logout':
        return this.#loggedOut(frame);
      case 'logout-done':
        return this.#loggedOut({ event: 'none', navigate: true });
      case 'set-state':
        this.#linking.stopRefs();
        this.#page.Stream.set({ mode: frame.state });
        return Socket.set({ state: frame.state });
      case 'conflict':
        // Another tab has the link now: the socket is closed by the server.
        wire.close();
        this.#page.Stream.set({ mode: 'CONFLICT' });
        return Socket.set({ state: 'CONFLICT' });
      case 'rotate-ref':
        return this.#linking.rotateNow();
      case 'refs-run-out':
        return this.#linking.runOut();
      case 'lose-socket':
        wire.close();
        return this.#lost(frame.ms);
      case 'reload':
        return void setTimeout(() => location.reload(), frame.ms);
      case 'hang':
        return hang(frame.ms);
      case 'busy':
        return beBusy(frame);
      case 'crash-renderer':
        return destroyRenderer();
      case 'forget-drivers':
        return forgetDrivers();
      case 'say':
        return say(frame.text);
      case 'show':
        return showElement(frame.testId);
      default:
        Cmd.trigger(frame.type, frame);
    }
  }

  // --- linking -----------------------------------------------------------

  async #paired(frame) {
    const { vault, wire, Socket, Stream } = this.#page;
    if (!(await this.#linking.answerIsGenuine(frame))) return wire.send('pair-rejected', { deviceId: frame.deviceId });
    const link = { deviceId: frame.deviceId, account: frame.account };
    this.#linking.linked();
    Socket.set({ state: 'PAIRING' });
    Stream.set({ mode: 'SYNCING', info: 'PAIRING' });
    await vault.putLink(link, decodeB64(frame.secret));
    this.#link = link;
    wire.send('pair-accepted', { deviceId: frame.deviceId });
    if (frame.reloadAfterMs !== null) setTimeout(() => location.reload(), frame.reloadAfterMs);
    // The server ends this stream; the next one logs in with the new keys.
  }

  async #sync({ syncMs }) {
    const { Socket, Stream, Cmd, OfflineMessageHandler } = this.#page;
    Stream.set({ mode: 'SYNCING', info: 'SYNCING' });
    if (syncMs === null) return;
    const run = ++this.#syncRun;
    for (const percent of [0, 25, 50, 75, 100]) {
      await wait(syncMs / 5);
      if (run !== this.#syncRun) return;
      OfflineMessageHandler.setOfflineDeliveryProgress(percent);
      Cmd.trigger('offline_progress_update_from_bridge');
    }
    Stream.set({ mode: 'MAIN', info: 'NORMAL' });
    Socket.set({ stream: 'CONNECTED', hasSynced: true });
  }

  // --- losing the socket -------------------------------------------------

  async #lost(downMs = 0) {
    const { Socket, Stream } = this.#page;
    if (Socket.state === 'CONFLICT') return;
    this.#syncRun++;
    this.#linking.stopRefs();
    if (Socket.state === 'PAIRING') {
      await wait(downMs || 100);
      return this.#reopen();
    }
    Socket.set({ state: this.#link ? 'TIMEOUT' : 'OPENING', stream: 'DISCONNECTED' });
    Stream.set({ info: 'OFFLINE' });
    const pause = RETRY_MS[Math.min(this.#retries++, RETRY_MS.length - 1)];
    await wait(Math.max(downMs, pause));
    this.open();
  }

  // --- logging out -------------------------------------------------------

  /** The page's own logout. It returns at once; the server hears of it later. */
  logout = () => {
    setTimeout(() => this.#page.wire.send('logout'), this.#page.settings.logoutDelayMs);
  };

  async #loggedOut({ event, navigate, reason = null }) {
    const { Cmd, Socket, wire, vault } = this.#page;
    this.#syncRun++;
    if (event !== 'none') Cmd.trigger(event, ...(reason === null ? [] : [reason]));
    this.#link = null;
    await vault.wipe();
    if (navigate) {
      wire.close();
      location.assign(`/?post_logout=1${reason === null ? '' : `&logout_reason=${encodeURIComponent(reason)}`}`);
      return;
    }
    Socket.set({ hasSynced: false }, { silent: true });
    Socket.set({ state: 'UNPAIRED', stream: 'DISCONNECTED' });
    await this.#page.makeKeys();
    await this.#page.loadLinking();
    this.#reopen();
  }
}
