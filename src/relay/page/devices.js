// The devices that may control a machine.

import { html, api, go, since, useEffect, useState, Top } from "./ui.js";

export function Devices({ app, environment }) {
  const [devices, setDevices] = useState(null);
  const [error, setError] = useState("");
  const machine = app.machine(environment);
  const load = async () => {
    try {
      const { data } = await app.wire.request("remoteControl/client/list", { environmentId: environment, limit: 100 });
      setDevices(data);
    } catch (failed) { if (failed.message !== "lost") setError("Other devices are shown and removed at the machine: codex-app-server remote-control clients"); }
  };
  useEffect(() => { if (app.wire && app.wire.ready) load(); }, [app.wire && app.wire.ready]);
  const revoke = async (clientId) => {
    if (!confirm("Remove this device? It cannot connect any more until it is paired again.")) return;
    try {
      if (machine && clientId === machine.clientId) {
        await api("DELETE", `/api/machines/${environment}/${clientId}`);
        (await import("./keys.js")).forget(environment);
        app.look(null);
        await app.loadMachines();
        return go("/");
      }
      await app.wire.request("remoteControl/client/revoke", { environmentId: environment, clientId });
      load();
    } catch (failed) { setError(failed.message); }
  };
  const rename = async (it) => {
    const name = prompt("Name of this device", it.displayName || "");
    if (name === null) return;
    try {
      await api("PATCH", `/api/machines/${environment}/${it.clientId}`, { name });
      if (devices) setDevices(devices.map((other) => other.clientId === it.clientId ? { ...other, displayName: name.trim() } : other));
      app.loadMachines();
    } catch (failed) { setError(failed.message); }
  };
  const mayRename = (it) => machine && (it.clientId === machine.clientId || machine.scopes.includes("admin"));
  const mine = machine && { clientId: machine.clientId, displayName: machine.deviceName, lastSeenAt: null };
  const shown = devices || (mine ? [mine] : []);
  return html`<${Top} back=${`/m/${environment}`} title="Devices" note=${machine && machine.name} />
  <main>
    ${error && html`<p class="quiet pad">${error}</p>`}
    <ul class="list">${shown.map((it) => html`<li key=${it.clientId} class="row">
      <div><b>${it.displayName || "This device"}</b>
        <span class="quiet">${[machine && it.clientId === machine.clientId && it.displayName && "this device", it.platform, since(it.lastSeenAt)].filter(Boolean).join(" · ") || (machine && machine.scopes.join(", "))}</span></div>
      ${mayRename(it) && html`<button onClick=${() => rename(it)} aria-label=${`Rename ${it.displayName || "this device"}`}>Rename</button>`}
      <button class="danger" onClick=${() => revoke(it.clientId)}>Remove</button>
    </li>`)}</ul>
  </main>`;
}
