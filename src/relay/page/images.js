// Pictures that go with a message: chosen or taken, and made small enough before they are kept or sent.

import { html, useRef, useState } from "./ui.js";

const MOST_IMAGES = 4;
// Each: enough to read a screen on it, and few enough for a slow way and for what a browser keeps for a tab (5 MB).
const MOST_CHARACTERS = 450_000;
const SIDES = [1600, 1200, 900, 640, 400];
const QUALITIES = [0.82, 0.6];

// The picture as a data URL of a bounded size. Whatever else the file says, such as where it was taken, is left out.
export async function scaled(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    for (const side of SIDES) {
      const scale = Math.min(1, side / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      const context = canvas.getContext("2d");
      // JPEG has no transparency.
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      for (const quality of QUALITIES) {
        const url = canvas.toDataURL("image/jpeg", quality);
        if (url.length <= MOST_CHARACTERS) return url;
      }
    }
  } finally { picture.close(); }
  throw new Error("This picture is too large.");
}

// The parts of a turn's input.
export function input(text, images) {
  const pictures = (images || []).map((url) => ({ type: "image", url }));
  return text.trim() || pictures.length === 0 ? [{ type: "text", text }, ...pictures] : pictures;
}

// The button that asks for pictures, and those that were chosen.
export function usePictures() {
  const [images, setImages] = useState([]);
  const [error, setError] = useState("");
  const [asking, setAsking] = useState(false);
  const [album, camera] = [useRef(null), useRef(null)];
  const chosen = async (event) => {
    const files = [...event.target.files];
    event.target.value = "";
    setError("");
    setAsking(false);
    for (const file of files) {
      try {
        const url = await scaled(file);
        setImages((before) => before.length < MOST_IMAGES ? [...before, url] : before);
      } catch { setError(`${file.name || "The file"} cannot be read as a picture.`); }
    }
  };
  const remove = (at) => setImages((before) => before.filter((_, other) => other !== at));
  const full = images.length >= MOST_IMAGES;
  const button = html`<button type="button" aria-label="Add a picture" aria-expanded=${asking} disabled=${full} onClick=${() => setAsking(!asking)}>▣</button>`;
  const shown = (images.length > 0 || asking || error) && html`<div class="pictures">
    ${images.map((url, at) => html`<button type="button" key=${url} onClick=${() => remove(at)} aria-label="Remove this picture"><img src=${url} alt="" /></button>`)}
    ${asking && html`<button type="button" onClick=${() => camera.current.click()}>Take a picture</button>
      <button type="button" onClick=${() => album.current.click()}>Choose pictures</button>`}
    ${error && html`<span class="error" role="alert">${error}</span>`}
    <input ref=${camera} name="camera" type="file" accept="image/*" capture="environment" hidden onChange=${chosen} />
    <input ref=${album} name="album" type="file" accept="image/*" multiple hidden onChange=${chosen} /></div>`;
  return { images, button, shown, clear: () => { setImages([]); setError(""); setAsking(false); } };
}
