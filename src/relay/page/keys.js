// What this browser keeps for each machine: its own private key, and the public one of the machine. Scripts of this page can
// read it, so it is as safe as the page is; no relay ever sees it.

import { base64, bytesOf } from "./base64.js";
import { pairingId } from "./sealed.js";
import { utf8 } from "./noise.js";

const PREFIX = "end-to-end:";

function nameOfCode(code) {
  const letters = code.replace(/[\s\-\u2010-\u2015]/g, "").toUpperCase();
  return pairingId(utf8(/^[A-Z]{8}$/.test(letters) ? letters : code.trim()));
}

// A device that was paired by a code: it gets a key of its own for this machine.
export function remember(environment, { code, key, secret, name }) {
  const pairing = secret ? pairingId(bytesOf(secret)) : nameOfCode(code);
  const own = base64(crypto.getRandomValues(new Uint8Array(32)));
  save(environment, { own, machine: key || null, secret: secret || null, pairing, name, paired: false, plain: false });
}

export function recall(environment) {
  try { return JSON.parse(localStorage.getItem(PREFIX + environment)); } catch { return null; }
}

export function save(environment, kept) { localStorage.setItem(PREFIX + environment, JSON.stringify(kept)); }

export function forget(environment) { localStorage.removeItem(PREFIX + environment); }
