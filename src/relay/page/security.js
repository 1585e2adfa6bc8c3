// What a person sees and decides about the encryption.

import { html } from "./ui.js";

// Whether only this page and the machine can read what passes.
export function Lock({ wire }) {
  const state = wire && wire.secure && wire.secure.state;
  if (state === "sealed") return html`<p class="quiet pad">End to end encrypted: the relay cannot read or change what passes.</p>`;
  if (state === "plain") return html`<p class="error">Not end to end encrypted: whoever runs the relay can read and change what passes.</p>`;
  return null;
}

// While a device is paired: both screens show the same words.
export function Words({ secure }) {
  if (!secure || !["pairing", "waiting"].includes(secure.state)) return null;
  return html`<section class="card" role="alert"><h2>Compare the words</h2>
    <p>The machine shows four words where <code>remote-control pair</code> runs. They must be these:</p>
    <p class="words">${secure.words}</p>
    ${secure.kept.secret ? html`<p class="quiet">The code that was scanned has proven the machine; the words are only shown.</p>`
      : secure.compared ? html`<p>Waiting for the same answer at the machine…</p>`
      : html`<div class="buttons"><button class="primary" onClick=${() => secure.compare(true)}>They are the same</button>
        <button class="danger" onClick=${() => secure.compare(false)}>They are different</button></div>`}
  </section>`;
}

// Why a stream ended, and what can be done.
export function Broken({ wire }) {
  const { secure } = wire;
  const plain = () => { secure.goPlain(); location.reload(); };
  return html`<section class="card" role="alert"><h2>Not connected</h2><p>${wire.state.why}</p>
    <div class="buttons"><button onClick=${() => location.reload()}>Connect again</button>
      <a class="button" href="#/pair">Pair again</a></div>
    ${secure && secure.mayGoPlain && html`<p>Whoever runs the relay could read everything, and could say this in the machine's place.</p>
      <button class="danger" onClick=${plain}>Go on without encryption</button>`}
  </section>`;
}
