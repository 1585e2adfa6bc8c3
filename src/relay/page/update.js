// Which version of the page this is. An installed page stays as it is until its user accepts another version.

import { html, useState } from "./ui.js";

export const own = document.querySelector("meta[name=digest]").content;

const PATIENCE = 15_000;

let registered = null;

export function register() {
  if ("serviceWorker" in navigator) registered = navigator.serviceWorker.register("/sw.js").catch(() => null);
}

export const worker = async () => registered && await registered && navigator.serviceWorker.ready;

// Takes over exactly the version that was shown.
async function accept(digest) {
  const registration = await registered;
  if (!registration || !registration.active) return location.reload();
  await registration.update();
  const waiting = await settled(registration);
  if (!waiting) throw new Error("the new version cannot be loaded now");
  const channel = new MessageChannel();
  const answered = new Promise((done, fail) => {
    channel.port1.onmessage = (event) => event.data === "accepted" ? done() : fail(new Error("the relay has another version again; look at it once more"));
    setTimeout(() => fail(new Error("the new version does not answer")), PATIENCE);
  });
  waiting.postMessage({ accept: digest }, [channel.port2]);
  await answered;
  location.reload();
}

function settled(registration) {
  const now = registration.installing;
  if (!now) return registration.waiting || registration.active;
  return new Promise((done) => {
    now.addEventListener("statechange", () => {
      if (now.state === "redundant") done(null);
      else if (now.state !== "installing") done(now);
    });
    setTimeout(() => done(null), PATIENCE);
  });
}

export function Update({ app }) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  if (!app.page || app.page === own) return null;
  const update = async () => {
    setBusy(true);
    setError("");
    try { await accept(app.page); } catch (failed) { setError(failed.message); setBusy(false); }
  };
  return html`<section class="card update" role="status"><h2>Another version of this page</h2>
    <p>You use <code>${own}</code>. The relay has <code>${app.page}</code>; <code>codex-app-server relay status</code> shows on the relay's own machine which one is right.</p>
    ${error && html`<p class="error" role="alert">${error}</p>`}
    <button onClick=${update} disabled=${busy}>${busy ? "Updating…" : "Update"}</button>
  </section>`;
}
