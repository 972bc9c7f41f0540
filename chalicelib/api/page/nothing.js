/** What stands there where there are no photos: a first step, or what was perhaps meant. */

import { button, make } from "./dom.js";
import { go } from "./route.js";

const EXAMPLES = ["dog & !cat", "person>=2", "cat@90", "status:failed", "after:2026-01-01"];

export class Nothing {
  #shown = null;
  #mark = null;

  /** `add()` hands photos in. */
  constructor(add) {
    this.add = add;
  }

  /** Fill a note for a search that found nothing, or for a library without photos. */
  fill(note, query) {
    if (note.firstChild && this.#shown === query && note.contains(this.#mark)) return; // what is there stays, with its focus
    this.#shown = query;
    const parts = query ? this.#found() : this.#first();
    this.#mark = parts[0];
    note.replaceChildren(...parts);
  }

  /** Say that a search cannot be read; where it breaks off is said at the search. */
  unreadable(note) {
    note.replaceChildren(...this.#examples("This search cannot be read."));
  }

  #first() {
    return [
      make("h2", {}, "Add your first photo"),
      make("p", {}, "Drop photos or whole folders anywhere on this page, or paste a picture. What is on them is recognised within seconds, and you can search for it."),
      make("p", {}, button("Add photos", this.add, { class: "primary" })),
    ];
  }

  #found() {
    return this.#examples("No photo is like that.");
  }

  #examples(heading) {
    const links = EXAMPLES.map((one) => make("li", {}, button(one, () => go({ q: one }), { class: "chip" })));
    return [
      make("h2", {}, heading),
      make("p", {}, "Join labels with & (and), | (or) and ! (not). A broad label finds the finer ones: animal finds a cat. For example:"),
      make("ul", { class: "examples" }, ...links),
      make("p", {}, button("Show all photos", () => go({}))),
    ];
  }
}
