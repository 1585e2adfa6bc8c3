// What every view uses: the library, and small pieces.

import { h, render, Fragment } from "./vendor/preact.js";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "./vendor/hooks.js";
import htm from "./vendor/htm.js";

export const html = htm.bind(h);
export { render, Fragment, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState };

export const go = (path) => { location.hash = path; };

export function since(seconds) {
  if (!seconds) return "";
  const minutes = Math.max(0, Math.round((Date.now() / 1000 - seconds) / 60));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h ago`;
  return new Date(seconds * 1000).toLocaleDateString();
}

export function Top({ back, title, note, children }) {
  return html`<header class="top">
    ${back && html`<a class="back" href=${"#" + back} aria-label="Back">‹</a>`}
    <h1>${title}${note && html`<small>${note}</small>`}</h1>
    ${children}
  </header>`;
}

// Honest: "connected" is said only after the machine itself has answered.
export function standing(wire) {
  if (!wire) return ["waiting", "connecting…"];
  const { socket, machine, verified, ended } = wire.state;
  if (ended === "revoked") return ["bad", "this device was removed"];
  if (ended === "replaced") return ["bad", "opened in another tab"];
  if (ended === "broken") return ["bad", "not connected"];
  if (socket !== "open") return ["waiting", navigator.onLine === false ? "no network" : "connecting…"];
  if (machine && machine.state === "asleep") return ["bad", `asleep ${machine.since ? "since " + since(machine.since) : ""}`];
  if (wire.secure && ["pairing", "waiting"].includes(wire.secure.state)) return ["waiting", "pairing…"];
  return verified ? ["good", "connected"] : ["waiting", "asking the machine…"];
}

export function Dot({ kind }) { return html`<i class=${"dot " + kind} aria-hidden="true"></i>`; }

export async function api(method, path, body) {
  const answer = await fetch(path, {
    method, credentials: "same-origin",
    headers: body ? { "content-type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  const value = text ? JSON.parse(text) : null;
  if (!answer.ok) throw Object.assign(new Error((value && value.detail) || `HTTP ${answer.status}`), { status: answer.status });
  return value;
}
