// Pairing by a code, and the list of machines.

import { html, api, go, since, useEffect, useState, Top, Dot } from "./ui.js";
import { parts } from "./link.js";
import { Scan } from "./scan.js";
import { setSound, soundIsOn } from "./notice.js";
import { Push } from "./push.js";
import { own, Update } from "./update.js";

export function Pair({ app }) {
  const [link, setLink] = useState(parts(window.scanned));
  const [code, setCode] = useState(link.code);
  const [name, setName] = useState(guessName());
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const claim = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError("");
    try {
      const machine = await api("POST", "/api/claim", { code: code.trim(), name: name.trim() || null, platform: navigator.platform || null });
      window.scanned = null;
      const { key, secret } = code.trim() === link.code ? link : {};
      const { remember } = await import("./keys.js");
      remember(machine.environmentId, { code: code.trim(), key, secret, name: name.trim() || null });
      await app.loadMachines();
      go(`/m/${machine.environmentId}`);
    } catch (failed) { setError(failed.message); }
    setBusy(false);
  };
  const typed = (event) => setCode(event.target.value);
  const found = (scanned) => { setLink(parts(scanned)); setCode(parts(scanned).code); };
  return html`<main class="center">
    <form class="card pair" onSubmit=${claim}>
      <h1>Pair with a machine</h1>
      <p>On the machine, run <code>codex-app-server remote-control pair</code> and enter its code here.</p>
      <label>Code
        <input name="code" value=${code} onInput=${typed} autocomplete="off" autocapitalize="characters" spellcheck="false"
          placeholder="BCDF-GHJK" required autofocus />
      </label>
      <${Scan} found=${found} />
      ${link.cert && html`<p class="quiet">The machine's screen shows the fingerprint <code>${link.cert}</code>. The certificate of this page, as your browser shows it, must begin with the same (SHA-256).</p>`}
      <label>Name of this device
        <input name="name" value=${name} onInput=${(event) => setName(event.target.value)} maxlength="60" />
      </label>
      ${error && html`<p class="error" role="alert">${error}</p>`}
      <button class="primary" disabled=${busy || !code.trim()}>${busy ? "Pairing…" : "Pair"}</button>
      ${app.machines && app.machines.length > 0 && html`<a href="#/">Back to the machines</a>`}
      <${Limits} app=${app} />
    </form>
  </main>`;
}

function guessName() {
  const agent = navigator.userAgent;
  const kind = ["iPhone", "iPad", "Android", "Macintosh", "Windows", "Linux"].find((it) => agent.includes(it));
  return kind ? `${kind === "Macintosh" ? "Mac" : kind} browser` : "Browser";
}

// What this page cannot promise, said where a person decides.
function Limits({ app }) {
  return html`<details class="quiet"><summary>Who can see what</summary>
    <p>Messages are encrypted end to end: whoever runs this relay sees when how much passes, and which devices are paired, but
      cannot read or change it. The key of this device is kept in this browser, where scripts of this page can read it.
      Whoever serves this page can change it, and with it everything that is said here. This page is <code>${own}</code>${app.page && app.page !== own && html`, and the relay has
      <code>${app.page}</code>`}; <code>codex-app-server relay status</code> shows the relay's.</p>
    ${location.protocol === "http:" && location.hostname !== "localhost" && html`<p>This page itself came without
      encryption: somebody on this network could have changed it on its way, and could read the token by which the relay knows this
      device. What you say to the machine is encrypted all the same. This page cannot be installed, and does not work offline.</p>`}
  </details>`;
}

function Sound() {
  const [on, setOn] = useState(soundIsOn());
  const change = (event) => { setSound(event.target.checked); setOn(event.target.checked); };
  return html`<label class="option quiet"><input type="checkbox" checked=${on} onChange=${change} /> Sound when the agent asks</label>`;
}

export function Machines({ app }) {
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === "visible" && app.loadMachines(), 5000);
    return () => clearInterval(timer);
  }, []);
  return html`<${Top} title="Machines"><a class="button" href="#/pair" aria-label="Pair another machine">+</a><//>
  <main>
    ${app.error && html`<p class="error" role="alert">${app.error}</p>`}
    <${Update} app=${app} />
    <ul class="list">${(app.machines || []).map((it) => html`<li key=${it.environmentId}>
      <a href=${`#/m/${it.environmentId}`}>
        <b>${it.name}</b>
        <span class="quiet"><${Dot} kind=${it.machine.state === "connected" ? "good" : "bad"} />
          ${it.machine.state === "connected" ? "connected" : `asleep ${it.machine.since ? "since " + since(it.machine.since) : ""}`}
          ${" · "}${it.scopes.join(", ")}</span>
      </a></li>`)}</ul>
    <${Sound} />
    <${Push} app=${app} />
    <${Limits} app=${app} />
  </main>`;
}
