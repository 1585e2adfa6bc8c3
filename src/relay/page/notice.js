// What tells a person that the machine waits, while the page is open: a mark in the title, a badge, a sound.

const KEY = "sound";
const TONE = 660;
const SECONDS = 0.18;

let audio = null;

export const soundIsOn = () => { try { return localStorage.getItem(KEY) !== "off"; } catch { return true; } };

export function setSound(on) { try { localStorage.setItem(KEY, on ? "on" : "off"); } catch { /* it is not remembered */ } }

// Browsers play sounds only after a person has touched the page.
function unlock() {
  const Audio = window.AudioContext || window.webkitAudioContext;
  if (!audio && Audio) audio = new Audio();
  if (audio && audio.state === "suspended") audio.resume();
}
for (const event of ["pointerdown", "keydown"]) window.addEventListener(event, unlock, { passive: true });

function play() {
  if (!audio || audio.state !== "running" || !soundIsOn()) return;
  const [tone, volume] = [audio.createOscillator(), audio.createGain()];
  tone.frequency.value = TONE;
  volume.gain.setValueAtTime(0.2, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + SECONDS);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + SECONDS);
}

// The agent asks: heard also by who is looking elsewhere on the page.
export function ask() {
  play();
  if (navigator.vibrate) navigator.vibrate(200);
}

// How many questions wait, on the icon of an installed page and in the title.
export function show(count, words) {
  if (navigator.setAppBadge) (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => {});
  document.title = count > 0 ? `(${count}) The agent asks` : words || "Machines";
}
