// One stream that only the phone and the machine can read. `remote_link/session/sealed` on the machine explains the steps.

import { base64, bytesOf } from "./base64.js";
import { Initiator, digest, joined, utf8 } from "./noise.js";
import { WORDS } from "./words.js";

const PROTOCOL = "codex-app-server end to end 1";
const MESSAGE_BYTES = 65_535;
const TAG_BYTES = 16;
const PIECE_BYTES = MESSAGE_BYTES - TAG_BYTES - 1;
const LAST = 1;
const MORE = 0;

// The name of a pairing, which tells neither the code nor the secret of which it is made.
export function pairingId(of) {
  const name = digest(utf8("codex-app-server pairing id"), of).subarray(0, 8);
  return base64(name).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function prologue(...names) {
  return joined(...[PROTOCOL, ...names].flatMap((name) => {
    const bytes = utf8(name);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setUint32(4, bytes.length);
    return [length, bytes];
  }));
}

export class Sealed {
  // `pairing` is null for a device that is paired; otherwise { id, secret }, with the secret only where one was scanned.
  constructor({ environment, client, stream, own, machine, pairing }) {
    this.pairing = pairing;
    this.number = pairing && crypto.getRandomValues(new Uint8Array(16));
    const psk = pairing && pairing.secret ? digest(utf8("codex-app-server pairing secret"), pairing.secret) : null;
    this.noise = new Initiator({ own, theirs: machine, prologue: prologue(environment, client, stream), psk });
  }

  get isOpen() { return !!this.send; }

  // A device that is new commits itself to a number before it sees that of the machine.
  greeting() {
    const payload = this.pairing ? digest(this.number) : new Uint8Array(0);
    const message = base64(this.noise.first(payload));
    return { endToEnd: "handshake", message, ...(this.pairing ? { pairing: this.pairing.id } : {}) };
  }

  // Fails if the answer is not the machine's.
  answered(object) {
    const { payload, send, receive, hash } = this.noise.second(bytesOf(object.message));
    if (payload.length !== (this.pairing ? 16 : 0)) throw new Error("another version");
    Object.assign(this, { send, receive });
    if (!this.pairing) return;
    const chosen = digest(utf8("codex-app-server words"), hash, this.number, payload).subarray(0, 4);
    this.words = Array.from(chosen, (byte) => WORDS[byte]).join(" ");
  }

  // The number to which the first message has committed this device, and its name.
  opening(name) { return this.seal({ pairing: { open: { nonce: base64(this.number), name } } }); }

  seal(message) {
    const text = utf8(JSON.stringify(message));
    const sealed = [];
    for (let at = 0; at === 0 || at < text.length; at += PIECE_BYTES) {
      const mark = at + PIECE_BYTES < text.length ? MORE : LAST;
      sealed.push(this.send.encrypt(joined(Uint8Array.of(mark), text.subarray(at, at + PIECE_BYTES))));
    }
    return { endToEnd: "sealed", data: base64(joined(...sealed)) };
  }

  // Fails if it is not the next thing that the machine has said.
  open(object) {
    const sealed = bytesOf(object.data);
    const said = [];
    for (let at = 0; at < sealed.length; at += MESSAGE_BYTES) {
      const piece = this.receive.decrypt(sealed.subarray(at, at + MESSAGE_BYTES));
      if (piece[0] !== (at + MESSAGE_BYTES < sealed.length ? MORE : LAST)) throw new Error("cut");
      said.push(piece.subarray(1));
    }
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(joined(...said)));
  }
}
