// Being told while the page is closed: where the relay has a key, and the browser a push service.

import { html, api, useState } from "./ui.js";
import { bytesOf } from "./base64.js";
import { worker } from "./update.js";

const canPush = () => window.isSecureContext && "PushManager" in window && "serviceWorker" in navigator;

async function turnOn(key) {
  const registration = await worker();
  if (!registration) throw new Error("This page cannot be installed here.");
  if (await Notification.requestPermission() !== "granted") throw new Error("The browser does not allow notifications.");
  const before = await registration.pushManager.getSubscription();
  if (before) await before.unsubscribe();
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
  await api("PUT", "/api/push", { endpoint: made.endpoint });
}

async function turnOff() {
  await api("DELETE", "/api/push");
  const registration = await worker();
  const before = registration && await registration.pushManager.getSubscription();
  if (before) await before.unsubscribe();
}

export function Push({ app }) {
  const [error, setError] = useState("");
  const { key, on } = app.push || {};
  if (!key || !canPush()) return null;
  const change = async () => {
    setError("");
    try { await (on ? turnOff() : turnOn(key)); } catch (failed) { setError(failed.message); }
    app.loadMachines();
  };
  return html`<label class="option quiet"><input type="checkbox" checked=${on} onChange=${change} /> Tell this phone while the page is closed</label>
    ${error && html`<p class="error" role="alert">${error}</p>`}`;
}
