// The practice page. The tasks and what is said about values come from the toolkit's practice.py.
"use strict";

const KEY = "backpropagation-practice";
const MARK = { ok: "✓", WRONG: "✗", unclear: "…" };
let now = null, asking = 0, timer = 0;

function prose(text) {
  return text.split(/\n\n/).map((block) => {
    if (!/^- /.test(block)) { const p = element("p"); p.append(...inline(block)); return p; }
    const list = element("ul");
    for (const item of block.split(/\n?^- /m).filter(Boolean)) { const li = element("li"); li.append(...inline(item)); list.append(li); }
    return list;
  });
}

// Progress: { "kind/seed": { typed: {name: text}, right: [names], of: number, shown: [names] } }

function progress() {
  try { return JSON.parse(localStorage.getItem(KEY)) ?? {}; } catch { return {}; }
}

function keep(change) {
  const all = progress(), key = `${now.kind}/${now.seed}`;
  all[key] = { typed: {}, right: [], of: now.wanted.length, shown: [], ...all[key], ...change };
  try { localStorage.setItem(KEY, JSON.stringify(all)); } catch { say("This browser keeps nothing: save your progress to a file.", true); }
  list();
}

const kept = () => progress()[`${now.kind}/${now.seed}`] ?? { typed: {}, right: [], shown: [] };

function list() {
  const rows = Object.entries(progress()).map(([key, { right, of }]) => {
    const [kind, seed] = key.split("/");
    const row = element("li"), link = element("a", `${kind.replaceAll("_", " ")}, seed ${seed}`, { href: `#${key}` });
    row.append(link, `: ${right.length} of ${of} values are right`);
    return row;
  });
  $("progress").replaceChildren(...(rows.length ? rows : [element("li", "Nothing yet.")]));
}

async function show(kind, seed) {
  say("The task is worked out.");
  const mine = ++asking;
  let task;
  try { task = await python.call("task", kind, seed); } catch (error) { return say(error.message, true); }
  if (mine !== asking) return;
  now = task;
  history.replaceState(null, "", `#${kind}/${task.seed}`);
  $("kind").value = kind;
  $("seed").value = task.seed;
  $("title").textContent = task.title;
  $("intro").replaceChildren(...prose(task.intro));
  $("given").replaceChildren(...task.given.map(([what, name, value]) => {
    const row = element("tr"), code = element("td");
    code.append(element("code", `${name} = ${value}`));
    row.append(element("th", what, { scope: "row" }), code);
    return row;
  }));
  const { typed, shown } = kept();
  $("values").replaceChildren(...task.wanted.map(([name, form]) => {
    const row = element("div", undefined, { class: "value", "data-name": name }), label = element("label");
    const input = element("input", undefined, { name, id: `value-${name}`, spellcheck: "false", autocapitalize: "off", "aria-describedby": `said-${name}` });
    input.value = typed[name] ?? "";
    label.append(element("b", name), input, element("span", form, { class: "form" }));
    row.append(label, element("p", "", { id: `said-${name}`, role: "status" }));
    return row;
  }));
  $("task").hidden = false;
  say("");
  draw(await python.call("shown", kind, task.seed, shown));
  await check();
}

const typed = () => Object.fromEntries([...new FormData($("values"))].filter(([, text]) => text.trim()));

async function check() {
  const mine = ++asking, task = now;
  const found = await python.call("check", task.kind, task.seed, typed());
  if (mine !== asking || task !== now) return;
  const lines = Object.fromEntries(found.lines.map(([name, status, says]) => [name, [status, says]]));
  for (const row of $("values").children) {
    const [status, says] = lines[row.dataset.name] ?? ["", ""];
    row.className = `value ${status.toLowerCase()}`;
    row.querySelector("p").textContent = says && `${MARK[status]} ${says}`;
  }
  const all = found.right.length === found.of;
  $("score").textContent = `${found.right.length} of ${found.of} values are right.${all ? " Well done. Another one?" : ""}`;
  keep({ typed: typed(), right: found.right });
}

async function reveal() {
  const { right, shown } = kept();
  const steps = await python.call("reveal", now.kind, now.seed, right, shown);
  draw(steps);
  if (steps.length) keep({ shown: [...shown, ...steps.map(([name]) => name)] });
  else $("score").textContent = "Every value is right or shown.";
}

function draw(steps) {
  for (const [name, why, formula, numbers] of steps) {
    const box = element("div", undefined, { class: "shown", role: "status" });
    box.append(element("h3", name), element("p", why));
    for (const text of [formula, `${name} = ${numbers}`]) {
      const line = element("p");
      line.append(element("code", text));
      box.append(line);
    }
    $("values").querySelector(`[data-name="${name}"]`).append(box); // beside its value
  }
}

function fromAddress() {
  const [kind, seed] = location.hash.slice(1).split("/");
  if ([...$("kind").options].some((one) => one.value === kind) && /^\d{1,9}$/.test(seed ?? "")) return [kind, Number(seed)];
  return [$("kind").value, null];
}

$("choose").addEventListener("submit", (event) => {
  event.preventDefault();
  show($("kind").value, $("seed").value.trim() ? Number($("seed").value) : null);
});
$("kind").addEventListener("change", () => { $("seed").value = ""; });
$("another").addEventListener("click", () => show($("kind").value, null));
$("reveal").addEventListener("click", reveal);
$("values").addEventListener("submit", (event) => { event.preventDefault(); check(); });
$("values").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, 500); });
addEventListener("hashchange", () => show(...fromAddress()));

$("save").addEventListener("click", () => {
  const url = URL.createObjectURL(new Blob([JSON.stringify(progress(), null, 1)], { type: "application/json" }));
  element("a", "", { href: url, download: "practice.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
});
$("load").addEventListener("change", async ({ target }) => {
  try {
    const found = JSON.parse(await target.files[0].text());
    const fits = ([key, one]) => /^[a-z_]+\/\d{1,9}$/.test(key) && Array.isArray(one?.right) && Array.isArray(one?.shown) && typeof one?.typed === "object";
    if (!Object.entries(found).length || !Object.entries(found).every(fits)) throw new Error();
    localStorage.setItem(KEY, JSON.stringify({ ...progress(), ...found }));
    list();
    say("Your progress is here.");
  } catch { say("This file holds no progress.", true); }
  target.value = "";
});

list();
show(...fromAddress());
