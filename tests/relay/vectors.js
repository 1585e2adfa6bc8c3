// Compares the page's handshake with the vectors of `snow` (its tests/vectors: cacophony.txt and snow.txt), byte for byte. It
// runs in the page itself, with the vectors in `arguments[0]` and what to call with the outcome in `arguments[1]`.

const [vectors, done] = arguments;

async function check() {
  const { Initiator } = await import("/noise.js");
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (it) => parseInt(it, 16));
  const hex = (all) => Array.from(all, (it) => it.toString(16).padStart(2, "0")).join("");
  const same = (what, found, expected) => { if (found !== expected) throw new Error(`${what}: ${found} instead of ${expected}`); };
  for (const vector of vectors) {
    const psk = vector.init_psks && vector.init_psks[0] ? bytes(vector.init_psks[0]) : null;
    const noise = new Initiator({
      own: bytes(vector.init_static), theirs: bytes(vector.init_remote_static), prologue: bytes(vector.init_prologue), psk,
      ephemeral: bytes(vector.init_ephemeral),
    });
    const [first, second, ...others] = vector.messages;
    same("the first message", hex(noise.first(bytes(first.payload))), first.ciphertext);
    const { payload, send, receive, hash } = noise.second(bytes(second.ciphertext));
    same("the second message", hex(payload), second.payload);
    if (vector.handshake_hash) same("the digest", hex(hash), vector.handshake_hash);
    others.forEach((message, at) => {
      if (at % 2 === 0) same("what is sent", hex(send.encrypt(bytes(message.payload))), message.ciphertext);
      else same("what comes", hex(receive.decrypt(bytes(message.ciphertext))), message.payload);
    });
  }
  await meddle();
  return `${vectors.length} vectors agree`;
}

// What a relay could say in the machine's place makes the page stop, and never speak plainly or without comparing.
async function meddle() {
  const { Secure } = await import("/secure.js");
  const { remember, forget } = await import("/keys.js");
  const { base64 } = await import("/base64.js");
  const key = base64(crypto.getRandomValues(new Uint8Array(32)));
  const said = (pairing, ...objects) => {
    const heard = { said: [], ready: 0, failed: 0 };
    remember("self-check", { code: "BCDF-GHJK", name: "check", ...pairing });
    const secure = new Secure("self-check", "client", "stream", {
      say: (object) => heard.said.push(object.endToEnd), ready: () => { heard.ready += 1; }, changed() {},
      failed: () => { heard.failed += 1; },
    });
    secure.begin();
    for (const object of objects) if (!heard.failed) secure.open(object);
    forget("self-check");
    return { ...heard, mayGoPlain: !!secure.mayGoPlain };
  };
  const scanned = { key, secret: base64(crypto.getRandomValues(new Uint8Array(16))) };
  const ended = (reason) => ({ endToEnd: "ended", reason, text: "words" });
  const stops = {
    "a plain answer": said(scanned, { id: 1, result: {} }),
    "a plain request": said(scanned, { id: 1, method: "x" }),
    "an answer of another key": said(scanned, { endToEnd: "handshake", message: base64(new Uint8Array(64).fill(9)) }),
    "sealed before the handshake": said(scanned, { endToEnd: "sealed", data: "AAAA" }),
    "off, where a secret was scanned": said(scanned, ended("off")),
  };
  for (const [what, { failed, ready, mayGoPlain }] of Object.entries(stops)) {
    if (failed !== 1 || ready || mayGoPlain) throw new Error(`${what} does not stop it`);
  }
  const lost = said({}, { endToEnd: "key", key }, ended("noPairing"));
  if (lost.failed !== 1 || lost.said.join() !== "ask,handshake") throw new Error(`a key that was only told is trusted: ${lost.said}`);
  const silent = (pairing) => {
    remember("self-check", { code: "BCDF-GHJK", name: "check", ...pairing });
    const secure = new Secure("self-check", "client", "stream", { say() {}, ready() {}, changed() {}, failed() {} });
    secure.begin();
    forget("self-check");
    if (secure.isUnanswered) secure.unanswered();
    return !!secure.mayGoPlain;
  };
  if (!silent({}) || silent(scanned) || silent({ ...scanned, key: null })) throw new Error("silence is misunderstood");
  if (!said({}, ended("off")).mayGoPlain) throw new Error("a machine without encryption cannot be used");
}

check().then(done, (error) => done(`failed: ${error.message}`));
