// The marking page: everything by keyboard, the next answer at once, every mark sent as it is given.
const $ = id => document.getElementById(id);
const sheet = document.body.dataset.sheet;
const xsrf = () => (document.cookie.match(/(?:^|; )_xsrf=([^;]*)/) || [])[1] || "";
const make = (tag, attributes = {}, ...inside) => {
  const one = Object.assign(document.createElement(tag), attributes);
  one.append(...inside);
  return one;
};
const number = value => String(Math.round(value * 100) / 100);

let part = null, cards = [], at = 0, whole = false, pending = 0, undo = [], since = performance.now(), pace = [];
let queue = Promise.resolve();

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

async function ask(what, query, body) {
  const url = `${location.pathname.replace(/\/$/, "")}/${what}?${new URLSearchParams(query)}`;
  const more = body ? { method: "POST", body: JSON.stringify(body), headers: { "X-XSRFToken": xsrf() } } : {};
  const answer = await fetch(url, { credentials: "same-origin", ...more });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(found.conflict || `the server said ${answer.status}`), found);
  return found;
}

async function overview() {
  const found = await ask("overview", {});
  const chosen = $("parts").value;
  $("parts").replaceChildren(...found.parts.map(one => make("option", {
    value: `${one.exercise}/${one.part}`,
    textContent: `${one.notebook}: ${one.title} (${one.waiting} of ${one.answers} wait)`,
  })));
  if (chosen) $("parts").value = chosen;
  $("sheets").replaceChildren(...Object.entries(found.sheets).map(([value, textContent]) => make("option", { value, textContent })));
  $("sheets").value = sheet;
  document.querySelector("h1").textContent = found.second ? "Second marking" : "Marking";
  return found.parts;
}

async function open(name) {
  const [exercise, id] = name.split("/");
  part = await ask("part", { exercise, part: id, alike: $("alike").value });
  $("text").innerHTML = part.task;  // cleaned by the server, as is all HTML here
  $("notes").innerHTML = part.notes;
  $("scheme").replaceChildren(...part.boxes.map(box => make("li", { textContent: `${box.words} (${number(box.points)})` })));
  $("bank").replaceChildren(...part.comments.map(text => make("option", { value: text })));
  cards = part.answers.map(draw);
  const shown = [];
  cards.forEach((card, place) => {
    card.element.setAttribute("aria-label", `Answer ${place + 1} of ${cards.length}`);
    if (!place || cards[place - 1].answer.group !== card.answer.group) {
      const { of, text } = card.answer;
      const kind = text.trim() ? (of > 1 ? `${of} answers alike` : "") : `${of} without an answer`;
      if (kind) shown.push(make("p", { className: "group", textContent: kind }));
    }
    shown.push(card.element);
  });
  $("cards").replaceChildren(...shown);
  whole = false; undo = []; pace = [];
  go(Math.max(0, cards.findIndex(card => card.answer.waiting)));
  progress();
}

function draw(answer) {
  const card = { answer, boxes: new Set(answer.boxes), free: answer.free, comment: answer.comment, out: false };
  card.boxesAt = make("div", { className: "boxes" });
  card.boxesAt.setAttribute("role", "group");
  card.boxesAt.setAttribute("aria-label", "Boxes of the scheme");
  card.inputs = part.boxes.map((box, place) => {
    const input = make("input", { type: "checkbox", checked: card.boxes.has(box.key) });
    input.addEventListener("change", () => { focusOn(card); tick(place, input.checked); });
    const label = make("label", { title: box.words }, input, `${place + 1}`);
    input.setAttribute("aria-label", `${place + 1}: ${box.words}, ${number(box.points)}`);
    card.boxesAt.append(label);
    return input;
  });
  card.freeAt = make("input", { type: "number", step: "0.5", value: answer.free, ariaLabel: "Free points", className: "free" });
  card.freeAt.addEventListener("input", () => { card.free = Number(card.freeAt.value) || 0; show(card); });
  card.commentAt = make("input", { type: "text", value: answer.comment, ariaLabel: "Comment", placeholder: "Comment ( c )" });
  card.commentAt.setAttribute("list", "bank");
  card.commentAt.addEventListener("input", () => { card.comment = card.commentAt.value; });
  card.said = make("span", { className: "points" });
  card.beside = make("details", {}, make("summary", { textContent: "Printed and drawn above it ( b )" }));
  card.beside.addEventListener("toggle", async () => {
    if (!card.beside.open || card.beside.children.length > 1) return;
    const found = await ask("beside", { exercise: part.exercise, part: part.part, id: answer.id });
    card.beside.append(make("div", { className: "body", role: "group", ariaLabel: "Printed and drawn", innerHTML: found.html }));
  });
  card.element = make("article", { tabIndex: -1 },
    make("header", { textContent: [answer.name, answer.machine].filter(Boolean).join(" · ") }),
    make("div", { className: "body", role: "group", ariaLabel: "Text", innerHTML: answer.html || "<p><em>no answer</em></p>" }),
    card.beside, card.boxesAt,
    make("footer", {}, card.said, " ", make("label", {}, "free ", card.freeAt), " ", card.commentAt));
  card.element.addEventListener("click", event => { if (!event.target.closest("input,summary,a")) focusOn(card); });
  show(card);
  return card;
}

function sum(card) {
  const boxes = part.boxes.filter(box => card.boxes.has(box.key)).reduce((all, box) => all + box.points, 0);
  return Math.max(0, Math.min(part.points, boxes + card.free));
}

function show(card) {
  const { answer } = card;
  const who = answer.waiting ? "waits" : `marked ${answer.points === null ? "" : number(answer.points)} ${answer.by ? `by ${answer.by} ${ago(answer.at)}` : ""}`;
  card.said.textContent = `${number(sum(card))} of ${number(part.points)}, ${who}`;
  card.element.classList.toggle("marked", !answer.waiting);
  card.element.classList.toggle("out", card.out);
  card.inputs.forEach((input, place) => { input.checked = card.boxes.has(part.boxes[place].key); });
}

function ago(time) {
  const minutes = Math.round((Date.now() - Date.parse(time)) / 60000);
  return !(minutes >= 0) ? "" : minutes < 1 ? "just now" : minutes < 60 ? `${minutes} min ago` : new Date(time).toLocaleDateString();
}

function go(place) {
  if (!cards.length) return;
  cards[at]?.element.classList.remove("here");
  at = Math.max(0, Math.min(cards.length - 1, place));
  const { element } = cards[at];
  element.classList.add("here");
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest" });
}

const focusOn = card => go(cards.indexOf(card));

function members(card) {
  if (!whole || card.out) return [card];
  return cards.filter(one => one.answer.group === card.answer.group && !one.out);
}

function tick(place, on) {
  const box = part.boxes[place];
  if (!box) return;
  const card = cards[at];
  on ??= !card.boxes.has(box.key);
  for (const one of members(card)) {
    one.boxes[on ? "add" : "delete"](box.key);
    show(one);
  }
}

function save() {
  const chosen = members(cards[at]), { comment, free } = cards[at];
  const before = chosen.map(card => ({ card, answer: { ...card.answer } }));
  for (const card of chosen) {
    Object.assign(card, { comment, free, boxes: new Set(cards[at].boxes) });
    card.freeAt.value = free; card.commentAt.value = comment;
    Object.assign(card.answer, { waiting: false, points: sum(card), boxes: [...card.boxes], free, comment, by: "you", at: new Date().toISOString() });
    show(card);
  }
  undo.push(before);
  whole = false;  // every group is asked for
  if (comment && !part.comments.includes(comment)) { part.comments.push(comment); $("bank").append(make("option", { value: comment })); }
  pace.push(Math.min(300, (performance.now() - since) / 1000 / chosen.length));
  since = performance.now();
  send(chosen.map(card => ({ card, boxes: [...card.boxes], free, comment })), before);
  const after = [...cards.keys()].map(step => (at + 1 + step) % cards.length).find(place => cards[place].answer.waiting);
  if (after === undefined) say("All answers to this part are marked.");
  else go(after);
  progress();
}

function send(wanted, before) {
  pending++;
  queue = queue.then(async () => {
    const { exercise, part: id } = part;
    const marks = wanted.map(({ card, ...mark }) => ({ ...mark, id: card.answer.id, version: card.answer.version }));
    try {
      const found = await ask("mark", {}, { exercise, part: id, marks });
      found.marks.forEach((mark, place) => {
        const { card } = wanted[place];
        Object.assign(card.answer, { version: mark.version, by: mark.by });
        show(card);
      });
      say(`saved ${found.marks.length === 1 ? "" : `${found.marks.length} marks `}`);
    } catch (error) {
      for (const { card, answer } of before) { Object.assign(card.answer, answer); show(card); }
      say(`Not saved: ${error.message}`, true);
    }
    pending--;
    progress();
  });
}

function takeBack() {
  const before = undo.pop();
  if (!before) return say("nothing to undo");
  const now = before.map(({ card }) => ({ card, answer: { ...card.answer } }));
  const wanted = before.map(({ card, answer }) => {
    const { version } = card.answer;
    Object.assign(card.answer, answer, { version });
    card.boxes = new Set(answer.boxes); card.free = answer.free; card.comment = answer.comment;
    card.freeAt.value = answer.free; card.commentAt.value = answer.comment;
    show(card);
    return { card, boxes: answer.boxes, free: answer.free, comment: answer.comment, back: answer.waiting };
  });
  send(wanted, now);
  focusOn(before[0].card);
  progress();
}

function progress() {
  const waiting = cards.filter(card => card.answer.waiting).length;
  $("bar").max = Math.max(1, cards.length);
  $("bar").value = cards.length - waiting;
  const middle = [...pace].sort((a, b) => a - b)[Math.floor(pace.length / 2)];
  const left = middle ? `, about ${Math.ceil(waiting * middle / 60)} min` : "";
  $("left").textContent = `${waiting} of ${cards.length} wait${left}${pending ? " · saving" : ""}`;
}

function search() {
  const wanted = $("search").value.toLowerCase();
  for (const { element, answer } of cards) element.hidden = !answer.text.toLowerCase().includes(wanted);
}

async function reword() {
  const rows = part.boxes.map(box => ({ key: box.key,
    points: make("input", { type: "number", step: "0.5", min: "0", value: box.points, ariaLabel: "Worth" }),
    words: make("textarea", { value: box.words, rows: 2, cols: 50, ariaLabel: "Words" }) }));
  const said = make("div"), check = make("button", { type: "button", textContent: "What would change?" });
  const write = make("button", { type: "button", textContent: "Change it", disabled: true });
  const body = dry => ({ exercise: part.exercise, part: part.part, dry,
    boxes: rows.map(row => ({ key: row.key, points: Number(row.points.value), words: row.words.value })) });
  check.onclick = async () => {
    const { changed } = await ask("scheme", {}, body(true));
    said.replaceChildren(make("p", { textContent: `${changed.length} marked answers have a changed box.` }),
      ...changed.filter(one => one.was !== one.points).map(one => make("p", { textContent: `${one.id}: ${number(one.was)} becomes ${number(one.points)}` })));
    write.disabled = false;
  };
  write.onclick = async () => { await ask("scheme", {}, body(false)); $("sheet").close(); await open($("parts").value); };
  $("more").replaceChildren(make("h2", { textContent: "Words and worth" }), ...rows.map(row => make("p", {}, row.points, " ", row.words)), said, check, " ", write);
  $("sheet").showModal();
}

async function twice() {
  const found = await ask("agreement", {});
  const share = value => value === null ? "–" : `${Math.round(value * 100)} %`;
  $("more").replaceChildren(make("h2", { textContent: "Two markers" }), ...found.parts.flatMap(one => [
    make("p", { textContent: `${one.exercise}, ${one.part}: ${one.count} marked twice, ${share(one.exact)} equal, ${share(one.within_one)} within a point, weighted kappa ${one.kappa === null ? "–" : one.kappa.toFixed(2)}. Boxes: ${Object.entries(one.boxes).map(([key, value]) => `${key} ${share(value)}`).join(", ")}` }),
    ...one.apart.map(two => {
      const line = make("p", { textContent: `${two.id}: ${number(two.first)} by ${two.by}, ${number(two.second)} by ${two.other} ` });
      if (!part.second) {
        const take = make("button", { type: "button", textContent: `Take ${number(two.second)}` });
        take.onclick = async () => {
          const { id, version, boxes, free, comment } = two;
          await ask("mark", {}, { exercise: one.exercise, part: one.part, marks: [{ id, version, boxes, free, comment }] });
          line.remove();
        };
        line.append(take);
      }
      return line;
    }),
  ]));
  if (!found.parts.length) $("more").append(make("p", { textContent: "Nothing was marked twice yet: autograder mark SHEET --second 15%" }));
  $("sheet").showModal();
}

document.addEventListener("keydown", event => {
  const typing = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") { cards[at]?.element.focus(); return; }
  if (!cards.length || (typing && event.key !== "Enter")) return;
  if (typing && !event.target.closest("article")) return;
  if (event.target.matches("button, summary, a") && event.key === "Enter") return;
  const card = cards[at];
  const keys = {
    Enter: save, u: takeBack, j: () => go(at + 1), k: () => go(at - 1),
    c: () => card.commentAt.focus(), f: () => card.freeAt.select(), "/": () => $("search").focus(),
    b: () => { card.beside.open = !card.beside.open; }, "?": () => $("keys").showModal(),
    g: () => { whole = !whole; say(whole ? `marking the whole group of ${card.answer.of}` : "marking one answer"); },
    x: () => { card.out = !card.out; show(card); say(card.out ? "taken out of its group" : "back in its group"); },
  };
  const act = /^[1-9]$/.test(event.key) ? () => tick(Number(event.key) - 1) : keys[event.key];
  if (act) { event.preventDefault(); act(); }
});
$("sheets").addEventListener("change", () => { location.pathname = location.pathname.replace(/[^/]+\/?$/, $("sheets").value); });
$("parts").addEventListener("change", () => open($("parts").value));
$("alike").addEventListener("change", () => open($("parts").value));
$("search").addEventListener("input", search);
$("help").addEventListener("click", () => $("keys").showModal());
$("reword").addEventListener("click", reword);
$("twice").addEventListener("click", twice);
for (const button of document.querySelectorAll("dialog .close")) button.addEventListener("click", () => button.closest("dialog").close());
addEventListener("beforeunload", event => { if (pending) event.preventDefault(); });

new ResizeObserver(([head]) => {
  document.documentElement.style.setProperty("--head", `${Math.ceil(head.borderBoxSize[0].blockSize)}px`);
}).observe(document.querySelector("body > header"));
const parts = await overview();
const first = parts.find(one => one.waiting) || parts[0];
$("parts").value = `${first.exercise}/${first.part}`;
await open($("parts").value);
document.body.dataset.ready = "yes";
performance.mark("ready");
