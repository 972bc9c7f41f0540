/** What is shown where there are no photos: a first step, or what was perhaps meant. */

import { button, make } from "./dom.js";
import { typedFor } from "./plain-words.js";
import { address, go } from "./route.js";
import { countOf, similar } from "./suggestions.js";
import { many, quoted } from "./formats.js";

const EXAMPLES = ["dog & !cat", "person>=2", "cat@90", "status:failed", "taken:2026"];

export class EmptyState {
  #shown = null;
  #mark = null;

  /** `add()` opens the dialog that adds photos. */
  constructor(add) {
    this.add = add;
  }

  /** Fill a note for a search that found nothing, or for a library without photos. */
  fill(note, found) {
    const query = typedFor(found);
    if (note.firstChild && this.#shown === query && note.contains(this.#mark)) return; // what is there stays, with its focus
    this.#shown = query;
    const parts = query ? this.#found(query) : this.#first();
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

  #found(query) {
    const perhaps = make("div", { class: "perhaps", role: "status" });
    this.#think(query, perhaps);
    const [heading, ...rest] = this.#examples("No photo is like that.");
    return [heading, perhaps, ...rest];
  }

  /** What was perhaps meant, and what each part would find alone. */
  async #think(query, place) {
    const names = namesIn(query);
    const parts = await Promise.all(names.map(async (name) => ({ name, count: await countOf(name), like: await similar(name), words: await wordsOf(name) }))).catch(() => []);
    const meant = parts.flatMap(({ name, count: found, like, words }) => (found ? [] : [words, ...like.slice(0, 3).map(quoted)].filter(Boolean).map((one) => query.replace(query.includes(`"${name}"`) ? `"${name}"` : name, () => one))));
    const link = (q, text) => make("li", {}, make("a", { href: address({ q }), "data-go": true }, text));
    if (meant.length) place.append(make("p", {}, "Did you mean"), make("ul", { class: "examples" }, ...meant.map((q) => link(q, q))));
    if (names.length > 1) place.append(make("p", {}, "Alone they find"), make("ul", { class: "examples" }, ...parts.map(({ name, count: found }) => link(quoted(name), `${name}: ${found ? many(found, "photo") : "none"}`))));
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

/** The names of labels in a search. */
function namesIn(query) {
  const bare = query.split(/("(?:[^"\\]|\\.)*")|[&|!()]/).map((one) => one?.replace(/[@<>=].*$/, "").replaceAll('"', "").trim());
  return [...new Set(bare)].filter((one) => one && !one.includes(":"));
}

/** The words of a name as labels of their own, if all of them are some: "dog beach" is perhaps dog & beach. */
async function wordsOf(name) {
  const words = name.split(/\s+/).filter((one) => one.toLowerCase() !== "and");
  if (words.length < 2) return null;
  const counts = await Promise.all(words.map(countOf));
  return counts.every(Boolean) ? words.join(" & ") : null;
}
