// Read your gradient: the numbers go to the engine of `autograder explain`, which runs in the page.
"use strict";

const HIDDEN = JSON.parse($("layers").dataset.hidden);
let loaded = [];

function addLayer(chosen = "tanh") {
  const item = element("li"), label = element("label", "Hidden layer: "), select = element("select");
  select.append(...HIDDEN.map((name) => element("option", name)));
  select.value = chosen;
  label.append(select);
  item.append(label);
  $("layers").append(item);
  count();
}

function count() {
  $("add").disabled = $("layers").children.length >= Number($("layers").dataset.most);
  $("remove").disabled = $("layers").children.length === 0;
}

function options() {
  const hidden = [...$("layers").querySelectorAll("select")].map((one) => one.value).join(",") || "none";
  return { hidden, ...Object.fromEntries(["output", "loss", "layout", "reduction"].map((id) => [id, $(id).value])) };
}

function points() {
  const text = $("point").value.trim();
  if (!text) return loaded;
  let found;
  try { found = JSON.parse(text); } catch (error) { throw new Error(`This is no JSON: ${error.message}`); }
  return [...(Array.isArray(found) ? found : [found]), ...loaded];
}

function reading({ name, verdict, said, mistakes, place }) {
  const box = element("article", undefined, { class: `reading ${verdict}`, "data-parameter": name, "data-mistakes": mistakes.join(" ") });
  box.append(element("h3", `${name}: ${verdict.replaceAll("-", " ")}`));
  if (place) {
    const where = element("p", `Line ${place.line}: `, { class: "place", "data-line": place.line });
    where.append(...inline(place.text || `look at \`${place.code}\``));
    box.append(where);
  }
  for (const [at, line] of said.entries()) {
    if (line.includes("\n")) box.append(element("pre", line, { tabindex: "0" }));
    else box.append(element("p", line, at < mistakes.length ? { class: "named" } : {}));
  }
  return box;
}

$("network").addEventListener("submit", async (event) => {
  event.preventDefault();
  let given;
  try { given = points(); } catch (error) { return say(error.message, true); }
  if (!given.length) return say("Give a point first: paste it, load a file, or fill in the example.", true);
  await ask("read_gradient", options(), given);
});

/** Ask the engine, and show what it found. */
async function ask(name, ...values) {
  $("read").disabled = $("run").disabled = true;
  $("stop").disabled = false;
  $("found").replaceChildren();
  say("");
  try {
    const found = await python.call(name, ...values);
    $("found").append(element("h2", "What your numbers say"), ...found.parameters.map(reading));
    if (found.missing.length) $("found").append(element("p", `No answer was given for ${found.missing.join(", ")}.`));
  } catch (error) {
    say(error.message.replace(/^[\w.]*(Error|BadInput): /, "").replace("/tmp/yours.py: ", ""), true);
  }
  $("read").disabled = $("run").disabled = false;
  $("stop").disabled = true;
}

$("run").addEventListener("click", () => {
  const { reduction, ...rest } = options();
  if (!$("code").value.trim()) return say("Write or paste your function first.", true);
  if (reduction !== "mean") return say("The line is looked for where the loss is the mean over the examples.", true);
  ask("read_code", rest, $("code").value, "");
});
$("stop").addEventListener("click", () => python.stop());

$("files").addEventListener("change", async ({ target }) => {
  loaded = [];
  try {
    for (const file of target.files) {
      if (file.name.endsWith(".npz")) loaded.push([...new Uint8Array(await file.arrayBuffer())]);
      else loaded.push(JSON.parse(await file.text()));
    }
    loaded = loaded.flatMap((one) => (Array.isArray(one) && typeof one[0] === "object" ? one : [one]));
    $("point").value = "";
    say(`${loaded.length} ${loaded.length === 1 ? "point is" : "points are"} loaded.`);
  } catch { loaded = []; say("A file could not be read: JSON or .npz was expected.", true); }
});

$("example").addEventListener("click", async () => {
  $("layers").replaceChildren();
  addLayer("tanh");
  $("output").value = "sigmoid"; $("loss").value = "bce"; $("layout").value = "columns"; $("reduction").value = "mean";
  $("point").value = await (await fetch("example.json")).text();
});

$("add").addEventListener("click", () => addLayer());
$("remove").addEventListener("click", () => { $("layers").lastElementChild?.remove(); count(); });
addLayer();
$("network").addEventListener("focusin", () => python.ready(), { once: true }); // who only looks loads no Python
