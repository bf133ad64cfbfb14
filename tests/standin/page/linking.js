// Linking: rotation of the QR's ref, and the 8-character code of alternate
// device linking. Which of the two is meant is the pairing type.

import { decodeB64, encodeB64, importHmacKey, randomBytes, sign, textBytes } from './bytes.js';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTVWXYZ';

export const PairingType = {
  QR_CODE: 'QR_CODE',
  ALT_DEVICE_LINKING: 'ALT_DEVICE_LINKING',
  SHORTCAKE_PASSKEY: 'SHORTCAKE_PASSKEY',
};

// The real page's class has a minified name and an empty message; what went
// wrong is only in the nested `type`.
class b extends Error {
  constructor(refusal) {
    super('');
    this.name = 'CompanionHelloError';
    this.type = { name: refusal.name, value: { text: refusal.text, code: refusal.code } };
  }
}

export class Linking {
  pairingType = PairingType.QR_CODE;
  #page;
  #advSecret = null;
  #refs = { timer: null, left: [], nextMs: 0 };
  #code = { text: null, timer: null, initialised: false, asked: new Map(), number: 0 };

  /** @param page {wire, vault, Socket, Conn, LinkDeviceEvents, settings} */
  constructor(page) {
    this.#page = page;
  }

  async load() {
    this.#advSecret = await this.#page.vault.getOrMake('adv', () => encodeB64(randomBytes(32)));
  }

  getAdvSecret = () => this.#advSecret;

  // --- the ref of the QR -------------------------------------------------

  /** Shows the first ref; the others follow, then UNPAIRED_IDLE. */
  startRefs({ refs, firstMs, nextMs }) {
    this.stopRefs();
    this.#refs = { timer: null, left: refs, nextMs };
    this.#showNextRef(firstMs);
    this.#page.Socket.set({ state: 'UNPAIRED' });
  }

  rotateNow() {
    clearTimeout(this.#refs.timer);
    this.#showNextRef(this.#refs.nextMs);
  }

  runOut() {
    this.#refs.left = [];
    this.rotateNow();
  }

  stopRefs() {
    clearTimeout(this.#refs.timer);
  }

  dropRef() {
    this.stopRefs();
    this.#page.Conn.set({ ref: undefined });
  }

  #showNextRef(lifeMs) {
    const { Conn, Socket, wire, settings } = this.#page;
    const [ref, ...left] = this.#refs.left;
    if (ref === undefined) {
      wire.send('ref-shown', { ref: null, lifeMs: 0 });
      if (settings.clearRefWhenIdle) Conn.set({ ref: undefined });
      Socket.set({ state: 'UNPAIRED_IDLE' });
      return;
    }
    this.#refs.left = left;
    // The server hears of the ref before anyone can read it off the page.
    wire.send('ref-shown', { ref, lifeMs });
    Conn.set({ ref });
    this.#refs.timer = setTimeout(() => this.#showNextRef(this.#refs.nextMs), lifeMs);
  }

  // --- the code ----------------------------------------------------------

  setPairingType(type) {
    this.pairingType = type;
  }

  async initializeAltDeviceLinking() {
    this.#advSecret = null;
    this.#code.initialised = true;
  }

  /** Back to the QR, with a new ADV secret: codes made before are void. */
  async initializeQrLinking() {
    this.pairingType = PairingType.QR_CODE;
    this.#forgetCode();
    this.#code.initialised = false;
    this.#advSecret = encodeB64(randomBytes(32));
    await this.#page.vault.put('adv', this.#advSecret);
  }

  async startAltLinkingFlow(phoneNumber, showNotification) {
    if (!this.#code.initialised) throw new b({ name: 'AltLinkingNotInitialized', text: 'not-initialized', code: 400 });
    const code = Array.from(randomBytes(8), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
    const id = ++this.#code.number;
    const refusal = await new Promise((answer) => {
      this.#code.asked.set(id, answer);
      this.#page.wire.send('companion-hello', { id, phoneNumber: String(phoneNumber), code, showNotification });
    });
    if (refusal) throw new b(refusal);
    this.#code.text = code;
    this.#expireCodeIn(this.#page.settings.codeLifeMs);
    return code;
  }

  answerCompanionHello({ id, refusal }) {
    this.#code.asked.get(id)?.(refusal);
    this.#code.asked.delete(id);
  }

  /** The phone has typed the code; from here the rest must come soon. */
  primaryHello() {
    this.#expireCodeIn(this.#page.settings.codeLifeAfterPhoneMs);
    this.#page.LinkDeviceEvents.triggerPrimaryHelloReceived();
  }

  #expireCodeIn(ms) {
    clearTimeout(this.#code.timer);
    this.#code.timer = setTimeout(() => {
      this.#forgetCode();
      this.#page.LinkDeviceEvents.triggerRefreshAltLinkingCode();
    }, ms);
  }

  #forgetCode() {
    clearTimeout(this.#code.timer);
    if (this.#code.text) this.#page.wire.send('code-dropped');
    this.#code.text = null;
  }

  /** A reopened socket knows nothing of a code asked for before. */
  socketReopened() {
    this.#forgetCode();
  }

  // --- the phone's answer ------------------------------------------------

  /** Whether the phone that answered has really read this page's QR or code. */
  async answerIsGenuine({ proof, mac, via }) {
    const secret = via === 'code' ? this.#code.text && textBytes(this.#code.text) : this.#advSecret && decodeB64(this.#advSecret);
    return Boolean(secret) && (await sign(await importHmacKey(secret), proof)) === mac;
  }

  linked() {
    clearTimeout(this.#code.timer);
    this.#code.text = null;
    this.dropRef();
  }
}
