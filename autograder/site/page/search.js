// The search of the documents: every word that is typed must begin a word of a section; the index comes when it is needed.
"use strict";

const MOST = 20, AROUND = 90;
let sections = null;

const plain = (text) => text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
const beginning = (word) => new RegExp(`(?<![\\p{L}\\p{N}])${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "u");

/** The sections with all words, those first that have them in their heading, then those with most of them in the text. */
function search(typed) {
  const words = plain(typed).split(/\s+/).filter(Boolean).map(beginning);
  if (!words.length) return [];
  return sections.map((one) => {
    const [title, text] = [plain(`${one[2]} ${one[1]}`), plain(one[3])];
    if (!words.every((word) => word.test(title) || word.test(text))) return null;
    const worth = words.reduce((sum, word) => sum + 20 * word.test(plain(one[2])) + 5 * word.test(title)
      + Math.min(text.split(word).length - 1, 4), 0);
    return { one, worth, place: Math.max(0, text.search(words[0])) };
  }).filter(Boolean).sort((a, b) => b.worth - a.worth);
}

function line({ one: [address, page, title, text], place }) {
  const item = element("li"), start = Math.max(0, place - AROUND), end = place + 2 * AROUND;
  const link = element("a", title === page ? page : `${title} · ${page}`, { href: address });
  const about = (start ? "… " : "") + text.slice(start, end).trim() + (end < text.length ? " …" : "");
  item.append(link, element("p", about, { class: "small" }));
  return item;
}

async function show() {
  const typed = $("q").value;
  try {
    sections ??= await (await fetch("search.json")).json();
  } catch {
    return say("The index of the search could not be loaded.", true);
  }
  if (typed !== $("q").value) return;
  const found = search(typed), many = found.length > MOST ? `the first ${MOST} of ${found.length} places` : `${found.length} place${found.length === 1 ? "" : "s"}`;
  $("found").replaceChildren(...found.slice(0, MOST).map(line));
  say(typed.trim() ? (found.length ? `You see ${many}.` : "No section has all these words.") : "");
}

$("q").addEventListener("input", show);
$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  $("found").querySelector("a")?.focus();
});
