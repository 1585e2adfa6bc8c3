// The links that cameras read, `PAGE/#CODE.KEY.SECRET&cert=FINGERPRINT`, as the machine writes them (remote_control/place.rs).

import { bytesOf } from "./base64.js";

// What stands behind the `#` of a link of this relay, or a code alone. A link to another relay is refused.
export function fragment(text) {
  if (!/^https?:/.test(text)) return text;
  const link = new URL(text);
  if (link.origin !== location.origin) throw new Error(`This code belongs to another relay: ${link.origin}`);
  return link.hash.slice(1);
}

// The parts of a fragment; those that it does not have are empty. What is unknown behind a `&` is for others.
export function parts(fragment) {
  const [front, ...named] = (fragment || "").split("&");
  const [code, key = "", secret = ""] = front.split(".");
  const cert = new URLSearchParams(named.join("&")).get("cert");
  return { code, key, secret, cert: cert ? groups(cert) : "" };
}

// A fingerprint as browsers and the machine's screen show it.
function groups(base64) {
  try {
    const digits = Array.from(bytesOf(base64), (it) => it.toString(16).padStart(2, "0")).join("");
    return digits.toUpperCase().replace(/(.{4})(?=.)/g, "$1 ");
  } catch { return ""; }
}
