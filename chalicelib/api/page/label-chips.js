/** The most frequent labels; each narrows the search or widens it again. */

import { button, make } from "./dom.js";
import { go } from "./route.js";
import { beginning } from "./suggestions.js";
import { count, quoted } from "./formats.js";

const CHIPS = 16;

export class LabelChips {
  constructor() {
    this.element = make("div", { class: "chips", role: "group", "aria-label": "Frequent labels" });
  }

  /** Fetch and show them for a search; the focus stays with its label. */
  async show(query) {
    const labels = await beginning("", CHIPS).catch(() => []);
    const parts = query.split("&").map((one) => one.trim().toLowerCase());
    const focused = this.element.contains(document.activeElement) && document.activeElement.dataset.name;
    this.element.replaceChildren(...labels.map((one) => chip(one, query, parts)));
    if (focused) (this.element.querySelector(`[data-name="${CSS.escape(focused)}"]`) ?? this.element.firstChild)?.focus();
  }
}

function chip({ name, count: number }, query, parts) {
  const word = quoted(name);
  const on = parts.includes(word.toLowerCase());
  const rest = query.split("&").map((one) => one.trim()).filter((one) => one.toLowerCase() !== word.toLowerCase());
  const combined = query.includes("|") ? `(${query}) & ${word}` : [query, word].filter(Boolean).join(" & ");
  const press = () => go({ q: on ? rest.join(" & ") : combined });
  const made = button("", press, { class: "chip", "aria-pressed": String(on), "data-name": name });
  made.append(make("span", {}, name), make("span", { class: "count" }, count(number)));
  return made;
}
