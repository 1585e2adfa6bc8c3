// Scanning a code inside of the page, where the browser can: it needs a way to read codes, and a camera, which browsers give
// to encrypted pages only. Everywhere else the phone's camera app does it.

import { html, useEffect, useRef, useState } from "./ui.js";
import { fragment } from "./link.js";

const BETWEEN_LOOKS = 250;

export const canScan = () => window.isSecureContext && "BarcodeDetector" in window && !!(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);

export function Scan({ found }) {
  const [on, setOn] = useState(false);
  const [error, setError] = useState("");
  const video = useRef(null);
  useEffect(() => {
    if (!on) return undefined;
    let stream = null;
    let timer = null;
    let ended = false;
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    const look = async () => {
      if (ended) return;
      try {
        const [code] = await detector.detect(video.current);
        if (code) { found(fragment(code.rawValue)); return setOn(false); }
      } catch (failed) { if (failed.message) setError(failed.message); }
      timer = setTimeout(look, BETWEEN_LOOKS);
    };
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).then(async (given) => {
      if (ended) return given.getTracks().forEach((it) => it.stop());
      stream = given;
      video.current.srcObject = given;
      await video.current.play();
      look();
    }).catch(() => { setError("The camera cannot be used."); setOn(false); });
    return () => {
      ended = true;
      clearTimeout(timer);
      if (stream) stream.getTracks().forEach((it) => it.stop());
    };
  }, [on]);
  if (!canScan()) return html`<p class="quiet">To scan the code, point the phone's own camera app at the machine's screen.</p>`;
  return html`<div class="scan">
    ${on && html`<video ref=${video} muted playsinline aria-label="Camera"></video>`}
    <button type="button" onClick=${() => { setError(""); setOn(!on); }}>${on ? "Stop scanning" : "Scan the code"}</button>
    ${error && html`<p class="error" role="alert">${error}</p>`}
  </div>`;
}
