// Keeps the shell of the page for when there is no network. It asks the relay first, so an open page is the relay's; without a
// network the page is the one that was there before. Nothing that the machine says is kept.

const SHELL = "shell";
const FILES = ["/", "/app.css", "/icon.svg", "/manifest.webmanifest", "/app.js", "/ui.js", "/wire.js", "/thread.js",
  "/machines.js", "/threads.js", "/conversation.js", "/question.js", "/devices.js",
  "/noise.js", "/sealed.js", "/words.js", "/keys.js", "/secure.js", "/security.js", "/vendor/noble.js",
  "/vendor/preact.js", "/vendor/hooks.js", "/vendor/htm.js"];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).pathname;
  if (event.request.method !== "GET" || !FILES.includes(path)) return;
  event.respondWith(fetch(event.request).then((answer) => {
    if (answer.ok) {
      const copy = answer.clone();
      caches.open(SHELL).then((cache) => cache.put(path, copy));
    }
    return answer;
  }).catch(() => caches.match(path)));
});
