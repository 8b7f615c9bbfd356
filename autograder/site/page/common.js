// What the pages share.
"use strict";

const $ = (id) => document.getElementById(id);

/** A new element with a text and attributes. */
function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Text with **bold** and `code`, as nodes. */
function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) =>
    part.startsWith("**") ? element("strong", part.slice(2, -2)) : part.startsWith("`") ? element("code", part.slice(1, -1))
      : document.createTextNode(part));
}

/** Say it in the page's line of status. */
function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}
