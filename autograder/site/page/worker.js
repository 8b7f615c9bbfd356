// Python beside the page. Whatever is fetched must be in files.json and have the hash that stands there.
"use strict";

const stage = (text) => postMessage({ stage: text });
let ready = null;

async function load(base) {
  stage("Fetching Python");
  const files = await (await fetch(base + "files.json")).json();
  const core = new URL(files.core, base).href;
  const plain = self.fetch;
  const pinned = (url, options) => {
    const integrity = files.hashes[String(url).split("/").pop()];
    return integrity ? plain(url, { ...options, integrity }) : Promise.reject(new TypeError(`${url} is not pinned`));
  };
  self.fetch = pinned; // Pyodide's own requests
  const archives = Object.fromEntries(Object.entries(files.archives).map(([name, { url, integrity }]) => [
    name, plain(new URL(url, base).href, { integrity }).then((found) => found.arrayBuffer()),
  ]));
  for (const name of ["pyodide.asm.js", "pyodide.js"]) {
    const script = await (await pinned(core + name)).blob();
    importScripts(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  }
  stage("Starting Python");
  const pyodide = await loadPyodide({ indexURL: core });
  for (const [name, { format, to }] of Object.entries(files.archives)) {
    stage(`Unpacking ${name}`);
    pyodide.unpackArchive(await archives[name], format, to ? { extractDir: to } : {});
  }
  stage("Reading the course");
  pyodide.runPython("import sys; sys.path.insert(0, '/course'); import autograder.in_page");
  stage("ready");
  return pyodide.pyimport("autograder.in_page");
}

onmessage = async ({ data }) => {
  if (data.base) {
    ready = load(data.base);
    ready.catch((error) => stage(`Python could not be started: ${error.message}`));
    return;
  }
  try {
    const module = await ready;
    postMessage({ number: data.number, result: module.call(data.name, data.values) });
  } catch (error) {
    const lines = String(error.message ?? error).trim().split("\n");
    postMessage({ number: data.number, error: lines[lines.length - 1] });
  }
};
