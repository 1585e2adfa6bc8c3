// One stream to one machine. It comes back by itself, sends nothing twice, and hears everything once.
//
// Each message has a number. The relay says which number it has taken last, and keeps what this page has not acknowledged;
// so after a lost connection both sides go on where they were. If the machine has lost the stream, `onLost` is called, and
// the page begins anew with what it is shown.

import { base64, bytesOf } from "./base64.js";

const CHUNK_BYTES = 72_000;
const PING_EVERY = 15_000;
const PONG_WITHIN = 8_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const CODE_STREAM_LOST = 4000;
const CODE_REPLACED = 4001;
const CODE_REVOKED = 4003;

export class Wire {
  // `on` has: state(), notification(method, params), request(id, method, params), ready().
  constructor(environment, on) {
    this.environment = environment;
    this.on = on;
    this.stream = null;
    this.state = { socket: "connecting", machine: null, verified: false, ended: null, scopes: [] };
    this.wait = FIRST_WAIT;
    this.wake = () => this.lookAgain();
    for (const event of ["online", "pageshow", "focus"]) window.addEventListener(event, this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.forget();
    this.open();
  }

  forget() {
    for (const { fail } of (this.pending || new Map()).values()) fail(new Error("lost"));
    this.pending = new Map();
    this.unsent = new Map();
    this.nextId = 1;
    this.seq = 0;
    this.heard = [0, -1];
    this.parts = null;
    this.ready = false;
    this.secure = null;
    this.unknown = 0;
    this.wasKnown = false;
  }

  // The machine does not know the stream. Before the handshake that is so, unless it says so again later.
  isLost() {
    this.unknown += 1;
    return this.wasKnown || this.unknown > 1;
  }

  set(change) {
    Object.assign(this.state, change);
    this.on.state();
  }

  open() {
    clearTimeout(this.timer);
    if (this.state.ended) return;
    const query = this.stream ? `?stream=${encodeURIComponent(this.stream)}` : "";
    const base = location.origin.replace(/^http/, "ws");
    const socket = new WebSocket(`${base}/api/machines/${encodeURIComponent(this.environment)}/socket${query}`);
    this.socket = socket;
    let opened = false;
    socket.onopen = () => { opened = true; };
    socket.onmessage = (event) => this.socket === socket && this.receive(JSON.parse(event.data));
    socket.onclose = (event) => this.socket === socket && this.closed(event.code, opened);
  }

  // Ends the wire for good.
  end(why) {
    this.state.ended = why || "ended";
    clearTimeout(this.timer);
    clearTimeout(this.pinging);
    clearTimeout(this.overdue);
    for (const event of ["online", "pageshow", "focus"]) window.removeEventListener(event, this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    if (this.socket) this.socket.close();
    for (const { fail } of this.pending.values()) fail(new Error("ended"));
  }

  closed(code, opened) {
    this.socket = null;
    clearTimeout(this.pinging);
    clearTimeout(this.overdue);
    // Why it ended is still shown.
    if (this.state.ended) return;
    if (code === CODE_REVOKED) { this.end("revoked"); return this.on.state(); }
    if (code === CODE_REPLACED) { this.end("replaced"); return this.on.state(); }
    if (code === CODE_STREAM_LOST) this.begin();
    this.set({ socket: "connecting", verified: false });
    if (!opened) this.on.refused();
    const wait = code === CODE_STREAM_LOST ? 100 : this.wait * (0.75 + Math.random() / 2);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    this.timer = setTimeout(() => this.open(), wait);
  }

  // The device is awake again, or has another network.
  lookAgain() {
    if (document.visibilityState === "hidden" || this.state.ended) return;
    this.wait = FIRST_WAIT;
    if (!this.socket) this.open();
    else if (this.socket.readyState === WebSocket.OPEN) this.ping();
  }

  begin() {
    this.stream = null;
    this.forget();
  }

  ping() {
    clearTimeout(this.pinging);
    clearTimeout(this.overdue);
    this.transmit({ type: "ping", client_id: "" });
    this.wasKnown = this.ready || !!(this.secure && this.secure.isKnown);
    this.overdue = setTimeout(() => {
      this.set({ verified: false });
      // A machine that sleeps answers nothing, though the relay is there.
      if (this.state.machine && this.state.machine.state === "connected" && this.socket) {
        const socket = this.socket;
        this.socket.close();
        if (this.socket === socket) this.closed(1006, true);
      } else this.pinging = setTimeout(() => this.ping(), PING_EVERY);
    }, PONG_WITHIN);
  }

  transmit(envelope) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(envelope));
  }

  receive(envelope) {
    switch (envelope.type) {
      case "welcome": return this.welcomed(envelope);
      case "machine": return this.machine(envelope.machine);
      case "refused": return this.refused();
      case "pong":
        if (!this.isNew(envelope)) return;
        this.acknowledge(envelope);
        clearTimeout(this.overdue);
        clearTimeout(this.pinging);
        this.pinging = setTimeout(() => this.ping(), PING_EVERY);
        this.set({ verified: true });
        if (envelope.status !== "unknown" || !this.isLost()) return;
        if (this.secure && this.secure.isUnanswered) return this.secure.unanswered();
        this.begin();
        this.socket.close();
        return;
      case "server_message":
        if (!this.isNew(envelope)) return;
        this.acknowledge(envelope);
        return this.message(envelope.message);
      case "server_message_chunk":
        if (!this.isNew(envelope)) return;
        this.chunk(envelope);
    }
  }

  isNew({ seq_id, segment_id = Infinity }) {
    const [seq, segment] = this.heard;
    const isNew = seq_id > seq || (seq_id === seq && segment_id > segment);
    if (isNew) this.heard = [seq_id, segment_id];
    return isNew;
  }

  acknowledge({ seq_id, segment_id }) {
    this.transmit({ type: "ack", client_id: "", seq_id, segment_id });
  }

  chunk(envelope) {
    if (envelope.segment_id === 0) this.parts = [];
    if (!this.parts || this.parts.length !== envelope.segment_id) return;
    this.parts.push(bytesOf(envelope.message_chunk_base64));
    this.acknowledge(envelope);
    if (this.parts.length < envelope.segment_count) return;
    const bytes = new Uint8Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) { bytes.set(part, at); at += part.length; }
    this.parts = null;
    this.message(JSON.parse(new TextDecoder().decode(bytes)));
  }

  welcomed({ client_id, stream_id, resumed, seq_id, machine, scopes }) {
    this.wait = FIRST_WAIT;
    if (!resumed && this.stream) this.begin();
    this.stream = stream_id;
    this.client = client_id;
    this.set({ socket: "open", scopes });
    for (const seq of [...this.unsent.keys()]) {
      if (seq <= seq_id) this.unsent.delete(seq);
      else this.send(seq, this.unsent.get(seq));
    }
    this.machine(machine);
  }

  machine(machine) {
    this.set({ machine, verified: machine.state === "connected" && this.state.verified });
    if (machine.state !== "connected") return;
    this.sendUnsent();
    if (!this.secure) this.begins();
    this.ping();
  }

  // What was refused is sent again, in order, when the machine is back.
  refused() {
    this.set({ verified: false });
    clearTimeout(this.again);
    this.again = setTimeout(() => {
      if (this.state.machine.state === "connected") this.sendUnsent();
    }, FIRST_WAIT);
  }

  sendUnsent() {
    for (const [seq, message] of this.unsent) this.send(seq, message);
  }

  // Nothing is said before the stream is encrypted, or a person has said that it need not be. The cryptography is loaded when
  // it is needed, so that the page can be used sooner.
  async begins() {
    const { stream } = this;
    this.secure = { state: "connecting", open: () => null };
    let Secure;
    try { ({ Secure } = await import("./secure.js")); } catch {
      this.secure = null;
      return;
    }
    if (this.stream !== stream || this.state.ended) return;
    const secure = new Secure(this.environment, this.client, stream, {
      say: (object) => this.sayAs(object),
      ready: () => this.initialize(),
      changed: () => this.on.state(),
      failed: (words) => this.broken(words),
    });
    this.secure = secure;
    secure.begin();
  }

  // The stream ends at both ends, and is not begun again before a person has read why.
  broken(words) {
    this.transmit({ type: "client_closed", client_id: "" });
    this.state.why = words;
    this.end("broken");
    this.on.state();
  }

  async initialize() {
    this.ready = true;
    try {
      await this.request("initialize", {
        clientInfo: { name: "codex-app-server-page", title: "Phone", version: "1" },
        capabilities: { experimentalApi: true },
      });
      this.say({ method: "initialized" });
      this.on.ready();
    } catch { this.ready = false; }
  }

  message(object) {
    const message = this.secure && this.secure.open(object);
    if (!message) return;
    if (message.method && "id" in message) return this.on.request(message.id, message.method, message.params);
    if (message.method) return this.on.notification(message.method, message.params);
    const waiting = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (!waiting) return;
    this.unsent.delete(waiting.seq);
    if (message.error) waiting.fail(Object.assign(new Error(message.error.message), { code: message.error.code }));
    else waiting.done(message.result);
  }

  say(message) { return this.sayAs(this.secure.seal(message)); }

  // Sends a message when it can be; it is kept, as it is, until it is known to have arrived.
  sayAs(message) {
    const seq = ++this.seq;
    this.unsent.set(seq, message);
    if (this.state.socket === "open") this.send(seq, message);
    return seq;
  }

  send(seq_id, message) {
    const text = JSON.stringify(message);
    if (text.length <= CHUNK_BYTES) return this.transmit({ type: "client_message", client_id: "", seq_id, message });
    const bytes = new TextEncoder().encode(text);
    const segment_count = Math.ceil(bytes.length / CHUNK_BYTES);
    for (let segment_id = 0; segment_id < segment_count; segment_id++) {
      const piece = bytes.subarray(segment_id * CHUNK_BYTES, (segment_id + 1) * CHUNK_BYTES);
      this.transmit({
        type: "client_message_chunk", client_id: "", seq_id, segment_id, segment_count,
        message_size_bytes: bytes.length, message_chunk_base64: base64(piece),
      });
    }
  }

  request(method, params) {
    const id = this.nextId++;
    return new Promise((done, fail) => {
      const waiting = { done, fail, seq: 0 };
      this.pending.set(id, waiting);
      waiting.seq = this.say({ id, method, params });
    });
  }

  answer(id, result) { this.say({ id, result }); }
}
