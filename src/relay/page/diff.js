// What a patch changes in one file.

import { html } from "./ui.js";

export function Diff({ change }) {
  const kind = change.kind && change.kind.type ? change.kind.type : "update";
  return html`<details class="diff" open><summary>${change.path} <small>${kind}</small></summary>
    <pre>${(change.diff || "").split("\n").map((line, at) => html`<span key=${at} class=${line[0] === "+" ? "plus" : line[0] === "-" ? "minus" : ""}>${line}${"\n"}</span>`)}</pre>
  </details>`;
}
