// The Noise protocol (noiseprotocol.org, revision 34) for the side that begins: IK, and IKpsk2 with a secret that was scanned.
// The primitives are audited ones (vendor/noble.js), because browsers offer theirs only to encrypted pages.
//
// tests/relay/run compares it with the vectors of `snow`, which the machine uses, byte for byte.

import { x25519, chacha20poly1305, sha256, hmac } from "./vendor/noble.js";

const NONE = new Uint8Array(0);

export function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}

export const utf8 = (text) => new TextEncoder().encode(text);
export const digest = (...parts) => sha256(joined(...parts));
export const publicKey = (secret) => x25519.getPublicKey(secret);

function keys(chaining, material, count) {
  const first = hmac(sha256, chaining, material);
  const made = [];
  for (let last = NONE, number = 1; number <= count; number++) {
    last = hmac(sha256, first, joined(last, Uint8Array.of(number)));
    made.push(last);
  }
  return made;
}

// One direction: a key and a counter. What does not come in order does not open.
class Cipher {
  constructor(key) { this.key = key; this.count = 0; }

  nonce() {
    const nonce = new Uint8Array(12);
    const view = new DataView(nonce.buffer);
    view.setUint32(4, this.count >>> 0, true);
    view.setUint32(8, Math.floor(this.count / 2 ** 32), true);
    this.count += 1;
    return nonce;
  }

  encrypt(text, about = NONE) { return chacha20poly1305(this.key, this.nonce(), about).encrypt(text); }
  decrypt(sealed, about = NONE) { return chacha20poly1305(this.key, this.nonce(), about).decrypt(sealed); }
}

export class Initiator {
  // `own` and `theirs` are the private key of this side and the public one of the other; `psk` 32 bytes or null. `ephemeral` is
  // for the vectors only.
  constructor({ own, theirs, prologue, psk = null, ephemeral = null }) {
    const name = utf8(psk ? "Noise_IKpsk2_25519_ChaChaPoly_SHA256" : "Noise_IK_25519_ChaChaPoly_SHA256");
    this.hash = name.length <= 32 ? joined(name, new Uint8Array(32 - name.length)) : sha256(name);
    this.chaining = this.hash;
    Object.assign(this, { own, theirs, psk });
    this.ephemeral = ephemeral || crypto.getRandomValues(new Uint8Array(32));
    this.mixHash(prologue);
    this.mixHash(theirs);
  }

  mixHash(bytes) { this.hash = digest(this.hash, bytes); }

  mixKey(material) {
    const [chaining, key] = keys(this.chaining, material, 2);
    this.chaining = chaining;
    this.cipher = new Cipher(key);
  }

  mixPoint(secret, point) { this.mixKey(x25519.getSharedSecret(secret, point)); }

  encrypt(text) {
    const sealed = this.cipher.encrypt(text, this.hash);
    this.mixHash(sealed);
    return sealed;
  }

  decrypt(sealed) {
    const text = this.cipher.decrypt(sealed, this.hash);
    this.mixHash(sealed);
    return text;
  }

  // A public key that is new in this handshake.
  fresh(point) {
    this.mixHash(point);
    if (this.psk) this.mixKey(point);
  }

  // -> e, es, s, ss
  first(payload) {
    const e = publicKey(this.ephemeral);
    this.fresh(e);
    this.mixPoint(this.ephemeral, this.theirs);
    const s = this.encrypt(publicKey(this.own));
    this.mixPoint(this.own, this.theirs);
    return joined(e, s, this.encrypt(payload));
  }

  // <- e, ee, se (psk). Returns what the other side has said, and both directions.
  second(message) {
    const e = message.subarray(0, 32);
    this.fresh(e);
    this.mixPoint(this.ephemeral, e);
    this.mixPoint(this.own, e);
    if (this.psk) {
      const [chaining, mixed, key] = keys(this.chaining, this.psk, 3);
      this.chaining = chaining;
      this.mixHash(mixed);
      this.cipher = new Cipher(key);
    }
    const payload = this.decrypt(message.subarray(32));
    const [send, receive] = keys(this.chaining, NONE, 2);
    this.ephemeral.fill(0);
    return { payload, send: new Cipher(send), receive: new Cipher(receive), hash: this.hash };
  }
}
