/** What is kept is fetched once more: not while the page itself is on its way. */
const LATER_MS = 2000;

/** Starts the service worker of a built page; a page that its host did not isolate is loaded once more under it. */
export async function workOffline(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const isFirst = navigator.serviceWorker.controller === null;
  if (isFirst && self.crossOriginIsolated) await new Promise((done) => setTimeout(done, LATER_MS));
  try {
    await navigator.serviceWorker.register("./sw.js");
    if (!isFirst || self.crossOriginIsolated) return;
    await navigator.serviceWorker.ready;
    const tried = "dlx.isolated";
    if (sessionStorage.getItem(tried)) return;
    sessionStorage.setItem(tried, "yes");
    location.reload();
  } catch (error) {
    // Storage that is forbidden, or a host without https: the page works, but neither offline nor with threads.
    console.info("dlx works without a service worker:", error);
  }
}
