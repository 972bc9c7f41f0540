/** The search field, with completion, and the place where a query cannot be read. */

import { completionsOf } from "./completion.js";
import { make, symbol } from "./dom.js";
import { meant } from "./plain-words.js";
import { go, place } from "./route.js";
import { rested } from "./suggestions.js";

const PATIENCE = 4000; // milliseconds for the labels that words may mean
const WORD = /[^&|!()"]*$/; // what is being typed: all since the last sign

export class Search {
  #shown = null;
  #active = -1;
  #typing = false;

  /** `leave()` is called when somebody wants to go on to what was found. */
  constructor(form, leave) {
    this.leave = leave;
    this.input = make("input", {
      id: "query",
      type: "search",
      role: "combobox",
      "aria-label": "Search photos",
      "aria-expanded": "false",
      "aria-controls": "completions",
      "aria-autocomplete": "list",
      "aria-describedby": "query-error",
      placeholder: "Search: dog & !cat",
      maxlength: "1000",
      enterkeyhint: "search",
      spellcheck: "false",
    });
    this.options = make("ul", { id: "completions", role: "listbox", "aria-label": "Completions", hidden: true });
    this.error = make("div", { id: "query-error", class: "query-error", role: "alert", hidden: true });
    form.append(symbol("find"), this.input, this.options, this.error);
    form.addEventListener("submit", (event) => (event.preventDefault(), this.#search()));
    this.#listen();
  }

  #listen() {
    const complete = rested(() => this.#complete());
    this.input.addEventListener("input", () => ((this.#typing = true), this.#settled(), complete()));
    this.input.addEventListener("keydown", (event) => this.#key(event));
    this.input.addEventListener("blur", () => this.#close());
    this.input.addEventListener("search", () => this.input.value || this.#search()); // its own cross was pressed
  }

  /** Show the query of a place; what is being typed stays where only something else has changed. */
  show(query) {
    if (query === this.#shown) return;
    this.#shown = query;
    this.input.value = query;
    this.#settled();
    this.#close();
  }

  /** Show where the query breaks off. */
  refuse(problem) {
    const text = this.input.value;
    const at = (problem.body.column ?? text.length + 1) - 1;
    const [before, found, after] = cut(text, at);
    this.input.setAttribute("aria-invalid", "true");
    this.error.hidden = false;
    this.error.replaceChildren(
      make("code", {}, before, make("mark", {}, found || "\u00a0"), after),
      make("p", {}, problem.body.expected ? `At character ${at + 1}, expected ${problem.body.expected}.` : problem.message),
    );
  }

  #settled() {
    this.input.removeAttribute("aria-invalid");
    this.error.hidden = true;
    this.error.replaceChildren();
  }

  async #search() {
    this.#close();
    const text = this.input.value.trim();
    const asIs = new Promise((resolve) => setTimeout(resolve, PATIENCE, text));
    const q = await Promise.race([meant(text), asIs]);
    if (this.input.value.trim() !== text) return; // something else is being typed by now
    this.input.value = q;
    go({ ...place(), view: "photos", image: "", q });
  }

  #word() {
    const before = this.input.value.slice(0, this.input.selectionStart);
    const text = before.match(WORD)[0].trimStart();
    return { text, start: before.length - text.length, end: before.length };
  }

  async #complete() {
    const { text } = this.#word();
    const fresh = await completionsOf(text).catch(() => []);
    if (!this.#typing || text !== this.#word().text) return;
    this.options.replaceChildren(...fresh.map((one, at) => this.#option(one, at)));
    this.#activate(-1);
    this.options.hidden = !fresh.length;
    this.input.setAttribute("aria-expanded", String(fresh.length > 0));
  }

  #option({ name, put, hint, label }, at) {
    const take = (event) => (event.preventDefault(), this.#take(put)); // before the field loses the focus
    return make(
      "li",
      { role: "option", id: `completion-${at}`, "aria-selected": "false", "data-put": put, mousedown: take },
      make("span", { class: label ? "named" : "" }, name),
      make("span", { class: "count" }, hint),
    );
  }

  #take(put) {
    const { start, end } = this.#word();
    const { value } = this.input;
    this.input.setRangeText(put, start, end, "end");
    if (value.slice(end).trim() === "" && !/[&|!]\s*$/.test(put)) this.input.value = this.input.value.trimEnd();
    this.#close();
    if (/[:&|!]\s*$/.test(put)) this.input.dispatchEvent(new Event("input")); // there is more to complete
  }

  #close() {
    this.#typing = false;
    this.options.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.#activate(-1);
  }

  #activate(at) {
    this.#active = at;
    [...this.options.children].forEach((one, index) => one.setAttribute("aria-selected", String(index === at)));
    if (at < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `completion-${at}`);
  }

  #key(event) {
    const open = !this.options.hidden;
    const { length } = this.options.children;
    if (event.key === "ArrowDown" && open) this.#activate((this.#active + 1) % length);
    else if (event.key === "ArrowUp" && open) this.#activate((Math.max(this.#active, 0) + length - 1) % length);
    else if (["Enter", "Tab"].includes(event.key) && open && this.#active >= 0) this.#take(this.options.children[this.#active].dataset.put);
    else if (event.key === "Escape" && open) this.#close();
    else if (event.key === "Escape") this.leave(); // and does not empty the field, as browsers do
    else return;
    event.preventDefault();
  }
}

/** A text around the character at a place; characters are as the service counts them, by code point. */
function cut(text, at) {
  const characters = [...text];
  return [characters.slice(0, at).join(""), characters[at] ?? "", characters.slice(at + 1).join("")];
}
