// Opens a stream so that only the machine can read it, and pairs this device with it where it is new. It stands between the
// wire, which numbers and repeats, and the messages.

import { bytesOf } from "./base64.js";
import { Sealed } from "./sealed.js";
import { recall, save } from "./keys.js";

const TAMPERED = "A message could not be decrypted: something between this phone and the machine has changed, repeated, left out or exchanged it. If it happens again, do not use this relay.";
const OTHER_WORDS = "Other words mean that somebody is between this phone and the machine. Say no at the machine, too, and do not use this relay.";
const SILENT = "The machine does not answer to the question for its key. A program that knows nothing of encryption is like that.";
const NO_KEY = "This browser has no key for this machine: pair it again.";

export class Secure {
  // `on` has: say(object), ready(), changed(), failed(words), plain().
  constructor(environment, client, stream, on) {
    Object.assign(this, { environment, client, stream, on });
    this.kept = recall(environment);
    this.state = "connecting";
  }

  // What is known of it: "sealed", "plain", or what it waits for.
  set(state) { this.state = state; this.on.changed(); }

  fail(words, reason) { this.set("failed"); this.reason = reason; this.on.failed(words); }

  begin() {
    if (!this.kept) return this.fail(NO_KEY, "noKey");
    if (this.kept.plain) { this.set("plain"); return this.on.ready(); }
    if (this.kept.machine) return this.greet();
    this.asked = true;
    this.on.say({ endToEnd: "ask" });
  }

  greet(isPaired = this.kept.paired) {
    const { kept } = this;
    this.triedAsPaired = isPaired;
    const pairing = isPaired ? null : { id: kept.pairing, secret: kept.secret && bytesOf(kept.secret) };
    const { environment, client, stream } = this;
    this.sealed = new Sealed({ environment, client, stream, own: bytesOf(kept.own), machine: bytesOf(kept.machine), pairing });
    this.on.say(this.sealed.greeting());
  }

  // Whether the machine has answered.
  get isKnown() { return !!(this.sealed && this.sealed.isOpen); }

  // A message as it is sent.
  seal(message) { return this.state === "plain" ? message : this.sealed.seal(message); }

  // A message as it has come. Returns what the machine has said, if that is for others.
  open(object) {
    if (this.state === "plain") return object;
    try { return this.step(object); } catch { return this.fail(TAMPERED, "tampered"); }
  }

  step(object) {
    switch (object.endToEnd) {
      case "key":
        // Only where no key was scanned or kept: this one came through the relay, so people compare words, or the secret proves
        // it.
        if (this.kept.machine || this.sealed) return;
        this.kept = { ...this.kept, machine: object.key };
        this.keyIsAsked = true;
        return this.greet();
      case "handshake":
        if (!this.sealed || this.sealed.isOpen) throw new Error("unasked");
        this.sealed.answered(object);
        if (!this.sealed.pairing) { this.set("sealed"); return this.on.ready(); }
        this.words = this.sealed.words;
        this.on.say(this.sealed.opening(this.kept.name));
        return this.set("pairing");
      case "sealed": {
        const said = this.sealed.open(object);
        if (this.state === "sealed") return said;
        if (said.pairing === "waiting") return this.set("waiting");
        if (said.pairing !== "accepted") throw new Error("unasked");
        this.accepted = true;
        // The secret proves that nobody is in between. Without one, somebody could say this, so the person here has to compare,
        // too.
        return this.kept.secret || this.compared ? this.paired() : this.set("waiting");
      }
      case "ended": return this.ended(object);
      default: throw new Error("not encrypted");
    }
  }

  paired() {
    this.kept = { ...this.kept, paired: true, secret: null, pairing: null };
    save(this.environment, this.kept);
    this.set("sealed");
    this.on.ready();
  }

  // The person says whether both screens show the same words.
  compare(areSame) {
    if (!areSame) return this.fail(OTHER_WORDS, "otherWords");
    this.compared = true;
    if (this.accepted) this.paired(); else this.on.changed();
  }

  // Whoever is on the way can say this, so nothing is given up for it.
  ended({ reason, text }) {
    if (reason === "noPairing" && !this.triedAsPaired && !this.keyIsAsked) {
      // The machine, whose key was scanned, may have accepted this device in the moment in which the connection was lost.
      this.sealed = null;
      this.noPairing = text;
      return this.greet(true);
    }
    const why = reason === "unknownDevice" && this.noPairing || text;
    this.fail(`${why[0].toUpperCase()}${why.slice(1)}.`, reason);
  }

  // It lives, was asked for its key, and has not answered. Whoever is on the way can bring that about as well.
  get isUnanswered() { return this.asked && !this.sealed; }

  unanswered() { this.fail(SILENT, "off"); }

  // A person has said that this machine may be used without encryption; never where it was once encrypted.
  goPlain() {
    if (this.kept.paired || this.kept.secret) return;
    save(this.environment, { ...this.kept, plain: true });
  }

  get mayGoPlain() { return this.reason === "off" && this.kept && !this.kept.paired && !this.kept.secret; }
}
