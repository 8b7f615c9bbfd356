// Python for a page: starts a worker when it is first needed, and calls functions of autograder/in_page.py in it.
"use strict";

const python = (() => {
  const base = new URL("python/", document.baseURI).href;
  let worker = null, waiting = new Map(), number = 0, started = 0, tell = () => {};

  async function start() {
    const text = await (await fetch("worker.js")).text();
    // A worker from a blob keeps to the content policy of this page.
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    const one = new Worker(url);
    started = performance.now();
    one.onmessage = ({ data }) => {
      if (data.stage) return tell(data.stage, performance.now() - started);
      const { resolve, reject } = waiting.get(data.number) ?? {};
      waiting.delete(data.number);
      if (data.error !== undefined) reject?.(new Error(data.error));
      else resolve?.(JSON.parse(data.result));
    };
    one.postMessage({ base });
    return one;
  }

  return {
    /** Say what is being loaded: tell(stage, milliseconds). */
    stages(listener) { tell = listener; },
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
