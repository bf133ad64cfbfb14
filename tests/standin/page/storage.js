// Where the link lives: IndexedDB. `wawc_db_enc` holds CryptoKeys that no
// script can export, `wawc` holds records encrypted with one of them. So a
// link lives as long as the browser profile and can't be dumped as JSON.

import { importHmacKey, sign, textBytes } from './bytes.js';

const KEYS = 'wawc_db_enc';
const RECORDS = 'wawc';

function openDatabase(name, store) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(store, { keyPath: 'id' });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

function read(database, store, id) {
  return new Promise((resolve, reject) => {
    const reading = database.transaction(store).objectStore(store).get(id);
    reading.onsuccess = () => resolve(reading.result);
    reading.onerror = () => reject(reading.error);
  });
}

// Strict: what was written is on disk when this returns, so that a browser
// killed right after linking still has its link.
function write(database, store, change) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, 'readwrite', { durability: 'strict' });
    change(transaction.objectStore(store));
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

export class Vault {
  #keys;
  #records;
  #recordKey;

  static async open() {
    const vault = new Vault();
    vault.#keys = await openDatabase(KEYS, 'keys');
    vault.#records = await openDatabase(RECORDS, 'user-prefs');
    vault.#recordKey = (await read(vault.#keys, 'keys', 'records'))?.key;
    if (!vault.#recordKey) {
      vault.#recordKey = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
      await write(vault.#keys, 'keys', (store) => store.put({ id: 'records', key: vault.#recordKey }));
    }
    return vault;
  }

  async get(id) {
    const record = await read(this.#records, 'user-prefs', id);
    if (!record) return undefined;
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: record.iv }, this.#recordKey, record.data);
    return JSON.parse(new TextDecoder().decode(plain));
  }

  async put(id, value) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, this.#recordKey, textBytes(JSON.stringify(value)));
    await write(this.#records, 'user-prefs', (store) => store.put({ id, iv, data }));
  }

  /** Reads a record, making and keeping it when there is none. */
  async getOrMake(id, make) {
    const known = await this.get(id);
    if (known !== undefined) return known;
    const made = make();
    await this.put(id, made);
    return made;
  }

  async putLink(link, secret) {
    const key = await importHmacKey(secret);
    await write(this.#keys, 'keys', (store) => store.put({ id: 'device', key }));
    await this.put('link', link);
  }

  /** Proves to the server that this profile holds the device's key. */
  async prove(nonce) {
    const stored = await read(this.#keys, 'keys', 'device');
    return stored ? sign(stored.key, nonce) : '';
  }

  /** Forgets everything, as the real page does at a logout. */
  async wipe() {
    await write(this.#records, 'user-prefs', (store) => store.clear());
    await write(this.#keys, 'keys', (store) => store.clear());
    this.#records.close();
    this.#keys.close();
    indexedDB.deleteDatabase(RECORDS);
    indexedDB.deleteDatabase(KEYS);
    localStorage.clear();
  }
}
