// Bytes, base64 and HMAC for keys, QR fields and proofs.

export function randomBytes(length) {
  return crypto.getRandomValues(new Uint8Array(length));
}

export function encodeB64(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

export function decodeB64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

export function textBytes(text) {
  return new TextEncoder().encode(text);
}

/** A key for `sign`, which page scripts can use but never read. */
export function importHmacKey(bytes) {
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
}

export async function sign(key, message) {
  return encodeB64(await crypto.subtle.sign('HMAC', key, textBytes(message)));
}
