/**
 * The service worker: after the first load the page works without a network, and on a host that cannot set headers it is
 * isolated all the same, which threads need. The build puts in what there is to keep.
 */
const { name, files } = self.__BUILT__;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(name)
      .then((cache) => cache.addAll(files))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  const old = (key) => key.startsWith("dlx-") && key !== name;
  event.waitUntil(
    caches
      .keys()
      .then((keys) => Promise.all(keys.filter(old).map((key) => caches.delete(key))))
      .then(() => self.clients.claim()),
  );
});

/** The same answer with the headers of an isolated page. */
function isolated(response) {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

async function answer(request) {
  const cache = await caches.open(name);
  // the page itself is newest from the network; its parts carry a hash in their names
  if (request.mode === "navigate") {
    try {
      const response = await fetch(request);
      if (response.ok) await cache.put("./", response.clone());
      return isolated(response);
    } catch (error) {
      const kept = await cache.match("./");
      if (kept) return isolated(kept);
      throw error;
    }
  }
  return isolated((await cache.match(request)) ?? (await fetch(request)));
}

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const own = new URL(url).origin === self.location.origin;
  if (method === "GET" && own && !url.endsWith("/file")) event.respondWith(answer(event.request));
});
