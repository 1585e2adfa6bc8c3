// The threads of a machine.

import { Ended } from "./ended.js";
import { Lock } from "./security.js";
import { html, go, since, standing, useState, Top, Dot } from "./ui.js";

export function Threads({ app, environment }) {
  const [search, setSearch] = useState("");
  const [error, setError] = useState("");
  const machine = app.machine(environment);
  const [kind, words] = standing(app.wire);
  const find = (event) => {
    setSearch(event.target.value);
    clearTimeout(app.searching);
    app.searching = setTimeout(() => app.loadThreads(event.target.value), 300);
  };
  const begin = async () => {
    const cwd = prompt("Folder of the new thread (empty: the server's own)", "");
    if (cwd === null) return;
    try { await app.newThread(cwd.trim()); } catch (failed) { setError(failed.message); }
  };
  return html`<${Top} back="/" title=${machine ? machine.name : "Machine"} note=${html`<${Dot} kind=${kind} />${words}`}>
    <a class="button" href=${`#/m/${environment}/devices`} aria-label="Devices">⋯</a>
    <button onClick=${begin} disabled=${!app.wire || !app.wire.ready} aria-label="New thread">+</button>
  <//>
  <main>
    <${Ended} wire=${app.wire} />
    <input class="search" type="search" value=${search} onInput=${find} placeholder="Search threads" aria-label="Search threads" />
    ${(error || app.threadError) && html`<p class="error" role="alert">${error || app.threadError}</p>`}
    ${app.threads === null ? html`<p class="quiet pad">${kind === "bad" ? "The threads are shown when the machine is back." : "Loading…"}</p>`
      : app.threads.length === 0 ? html`<p class="quiet pad">No threads. Begin one with +.</p>`
      : html`<ul class="list">${app.threads.map((it) => html`<li key=${it.id}>
        <a href=${`#/m/${environment}/t/${it.id}`} onClick=${() => go(`/m/${environment}/t/${it.id}`)}>
          <b>${it.name || it.preview || "New thread"}</b>
          <span class="quiet">${it.status && it.status.type === "active" && html`<${Dot} kind="busy" />`}
            ${since(it.updatedAt)} · ${folder(it.cwd)}</span>
        </a></li>`)}</ul>`}
    <${Lock} wire=${app.wire} />
  </main>`;
}

export function folder(path) { return (path || "").split("/").filter(Boolean).slice(-2).join("/") || "/"; }
