// Python for a page: starts a worker when it is first needed, and calls functions of autograder/in_page.py in it.
"use strict";

const python = (() => {
  const base = new URL("python/", document.baseURI).href;
  let worker = null, waiting = new Map(), number = 0, started = 0;

  /** What Python is doing, in its own line of the page. */
  function tell(stage) {
    const line = $("python"), done = stage === "ready";
    line.textContent = done ? "" : `${stage} …`;
    line.classList.toggle("bad", stage.includes("could not"));
    if (done) document.documentElement.dataset.ready = Math.round(performance.now() - started);
  }

  async function start() {
    const text = await (await fetch("worker.js")).text();
    // A worker from a blob keeps to the content policy of this page.
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const one = new Worker(url);
    started = performance.now();
    one.onmessage = ({ data }) => {
      if (data.stage) return tell(data.stage);
      const { resolve, reject } = waiting.get(data.number) ?? {};
      waiting.delete(data.number);
      if (data.error !== undefined) reject?.(new Error(data.error));
      else resolve?.(JSON.parse(data.result));
    };
    one.postMessage({ base });
    return one;
  }

  return {
    /** Call a function of autograder/in_page.py with plain values; gives a plain value. */
    async call(name, ...values) {
      const one = await (worker ??= start());
      return new Promise((resolve, reject) => {
        waiting.set(++number, { resolve, reject });
        one.postMessage({ number, name, values: JSON.stringify(values) });
      });
    },
    /** Load what a page needs before it is asked for. */
    async ready() { await (worker ??= start()); },
    /** End what is running; the next call starts anew. */
    async stop() {
      const one = await worker;
      worker = null;
      one?.terminate();
      for (const { reject } of waiting.values()) reject(new Error("Stopped."));
      waiting.clear();
    },
  };
})();
