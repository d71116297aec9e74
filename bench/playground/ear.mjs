/**
 * What is heard inside the page, by its own clock: when a curve was drawn, when a squiggle stood there, what the lab told,
 * how long the main thread was busy. Put in by `addInitScript`, so it refers to nothing outside itself.
 */
export function listen() {
  const heard = { drawn: [], keys: [], squiggles: [], lab: [], tasks: [], moved: [] };
  self.__heard = heard;
  const now = () => performance.now();

  // uPlot strokes a curve as a path, and its grid without one
  const { stroke } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.stroke = function (...path) {
    if (path.length > 0) heard.drawn.push(now());
    return stroke.apply(this, path);
  };

  addEventListener("keydown", ({ timeStamp }) => heard.keys.push(timeStamp), true);
  addEventListener("input", ({ target, timeStamp }) => target.type === "range" && heard.moved.push(timeStamp), true);

  let marked = false;
  new MutationObserver(() => {
    const is = document.querySelector(".squiggly-error") !== null;
    if (is && !marked) heard.squiggles.push(now());
    marked = is;
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) heard.tasks.push({ at: startTime, ms: duration });
  }).observe({ type: "longtask", buffered: true });

  const { Worker } = self;
  self.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      if (given[1]?.name !== "lab") return;
      this.addEventListener("message", ({ data: { kind, version, step, message } }) => {
        const inputs = message?.events.filter(({ event }) => event === "input").map(({ step }) => step);
        const swapped = kind === "swapped" ? step : undefined;
        heard.lab.push({ at: now(), kind, version, swapped, step: message?.frame?.step, inputs });
      });
    }
  };
}

/** All of it so far. */
export const heard = (page) => page.evaluate(() => self.__heard);
