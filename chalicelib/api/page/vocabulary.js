/** The owner's vocabulary, the only terms that labels are shown in, one a line. */

import { at, call } from "./api.js";
import { make } from "./dom.js";
import { followJob } from "./jobs.js";
import { complain, notify } from "./toasts.js";
import { count, many } from "./formats.js";

/** A section that shows the terms and saves others; `changed()` is told when labels have followed. */
export async function vocabulary(changed) {
  const { terms } = await call("GET", at`vocabulary`);
  const field = make("textarea", { id: "terms", rows: Math.min(12, terms.length + 3), spellcheck: "false", placeholder: "sneaker = trainer = running shoe\nhiking boot" });
  field.value = terms.join("\n");
  const form = make("form", { class: "terms", submit: (event) => (event.preventDefault(), save(field.value, changed)) }, make("label", { for: "terms" }, "One term a line, other names for it behind ="), field, make("div", {}, make("button", {}, "Save the vocabulary")));
  const told = terms.length ? "Labels are shown by these terms and no other; what has none is kept, but not shown." : "Any name will do. With terms of your own, labels are shown by these and no other.";
  return make("section", { class: "card", "aria-labelledby": "vocabulary" }, make("h2", { id: "vocabulary" }, terms.length ? `Vocabulary (${count(terms.length)})` : "Vocabulary"), make("p", { class: "muted" }, told), form);
}

async function save(text, changed) {
  const terms = text.split("\n").map((line) => line.trim()).filter(Boolean);
  try {
    const { changed: photos } = await followJob(await call("PUT", at`vocabulary`, { terms }), "Changing labels", "changed");
    notify(`The vocabulary was saved. ${many(photos, "photo")} changed.`);
    changed();
  } catch (error) {
    complain(error);
  }
}
