// What a person can do where this page is not connected any more by itself.

import { html } from "./ui.js";
import { Broken, Words } from "./security.js";

export function Ended({ wire }) {
  if (wire && !wire.state.ended) return html`<${Words} secure=${wire.secure} />`;
  if (!wire) return null;
  if (wire.state.ended === "revoked") return html`<section class="card" role="alert"><h2>This device was removed</h2>
    <p>It may not reach this machine any more. To use it again, pair it with a new code.</p><a class="button" href="#/pair">Pair again</a></section>`;
  if (wire.state.ended === "broken") return html`<${Broken} wire=${wire} />`;
  return html`<section class="card" role="alert"><h2>Opened elsewhere</h2><p>Another tab of this page goes on with this.</p>
    <button onClick=${() => location.reload()}>Go on here</button></section>`;
}
