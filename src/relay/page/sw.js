// Keeps the page as its user has accepted it, for when there is no network and against silent changes: files come from the
// cache of the accepted version only. Another version waits in a cache of its own until a person accepts it. Nothing that the
// machine says is kept.

const PAGE = "PAGE_DIGEST";
const STATE = "state";
const ACCEPTED = "/accepted";
const SHELL = "shell-";
const FILES = ["/", "/app.css", "/icon.svg", "/manifest.webmanifest", "/page.js", "/base64.js", "/noise.js", "/sealed.js",
  "/words.js", "/keys.js", "/secure.js", "/vendor/noble.js"];

async function accepted() {
  const found = await (await caches.open(STATE)).match(ACCEPTED);
  return found ? found.text() : null;
}

async function accept(digest) {
  await (await caches.open(STATE)).put(ACCEPTED, new Response(digest));
  for (const name of await caches.keys()) {
    if (name.startsWith("shell") && name !== SHELL + digest) await caches.delete(name);
  }
}

self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await caches.open(SHELL + PAGE);
  await cache.addAll(FILES.map((path) => new Request(path, { cache: "reload" })));
  if (!await accepted()) {
    await accept(PAGE);
    await self.skipWaiting();
  }
})()));

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const [port] = event.ports;
  if (!event.data || !event.data.accept || !port) return;
  event.waitUntil((async () => {
    if (event.data.accept !== PAGE) return port.postMessage("other");
    await accept(PAGE);
    await self.skipWaiting();
    port.postMessage("accepted");
  })());
});

async function kept(path) {
  const digest = await accepted();
  const found = digest && await (await caches.open(SHELL + digest)).match(path);
  return found || fetch(path);
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !FILES.includes(url.pathname)) return;
  event.respondWith(kept(url.pathname));
});

// A push has no content: it says that a machine waits for a person, and nothing else.
self.addEventListener("push", (event) => event.waitUntil(self.registration.showNotification("The agent waits for you", {
  body: "Open the page to see what it asks, or what it has done.", icon: "/icon.svg", tag: "waits", renotify: true,
})));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    const [open] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    return open ? open.focus() : self.clients.openWindow("/");
  })());
});
