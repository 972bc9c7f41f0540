/** The photos: chips, grid, and what stands there when there are none. */

import { make, button } from "./dom.js";
import { Grid } from "./grid.js";
import { go } from "./route.js";
import { Chips } from "./search.js";
import { isFinal, isWatched, watch } from "./watch.js";

const EXAMPLES = ["dog & !cat", "person>=2", "cat@90", "status:failed", "after:2026-01-01"];
const REFRESH = 10_000; // milliseconds: what comes into the bucket by another way shows up by itself
const SELDOM = 60_000; // where nobody moves: each look is a call
const WATCHED = 40; // images that may be labelled at any moment, of those that came last

export class Photos {
  #query = null;
  #pause = REFRESH;
  #looked = Date.now();
  #timer = 0;

  /** `library` and `selection` are shown, `search` says where a query breaks off, `add()` hands photos in. */
  constructor({ library, selection, search, add, remove }) {
    Object.assign(this, { library, search, add });
    this.grid = new Grid(library, selection, { remove });
    this.chips = new Chips();
    this.note = make("div", { class: "note" });
    this.title = make("h1", { class: "unseen" }, "Photos");
    this.element = make("div", { class: "photos" }, this.title, this.chips.element, this.grid.element, this.note);
    library.addEventListener("change", () => this.#tell());
    this.#soon(REFRESH);
    const awake = () => document.hidden || this.#pause === REFRESH || this.#soon(REFRESH);
    for (const sign of ["pointermove", "keydown", "visibilitychange"]) document.addEventListener(sign, awake, { passive: true });
  }

  /** Show what a search finds. */
  async show(query) {
    if (query === this.#query) return;
    this.#query = query;
    this.grid.clear();
    scrollTo(0, 0);
    const chips = this.chips.show(query);
    await Promise.all([this.library.open(query), chips]);
    const { broken } = this.library;
    if (query === this.#query && broken?.body?.pointer === "?q") this.search.refuse(broken);
  }

  /** Labels have changed: so may have their numbers. */
  refreshChips() {
    this.chips.show(this.library.query);
  }

  /** Look again in a while, which doubles as long as nobody moves and nothing comes. */
  #soon(pause) {
    this.#pause = pause;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), Math.max(0, this.#looked + pause - Date.now()));
  }

  #look() {
    this.#looked = Date.now();
    this.#soon(Math.min(2 * this.#pause, SELDOM));
    const reading = document.hidden || scrollY > innerHeight || !this.element.isConnected;
    if (reading || this.library.broken) return;
    this.library.refresh().then((news) => news && this.#soon(REFRESH), () => {}); // it is tried again
  }

  #tell() {
    const { library } = this;
    for (const id of library.ids.slice(0, WATCHED)) this.#watch(library.get(id));
    const { length } = library.ids;
    if (library.broken) this.note.replaceChildren(...this.#broken());
    else if (length) this.note.replaceChildren(library.complete ? "" : make("p", { class: "muted" }, "Loading more …"));
    else if (!library.complete) this.note.replaceChildren(); // what is moved aside at once only flickers
    else this.note.replaceChildren(...(library.query ? this.#nothingFound() : this.#nothingYet()));
  }

  #watch(image) {
    if (image.status !== "labelling" || isWatched(image.id)) return;
    watch(image.id, (known) => (this.library.update(known), isFinal(known) && this.refreshChips()));
  }

  #broken() {
    const { broken } = this.library;
    if (broken.body?.pointer === "?q") return this.#examples("This search cannot be read.");
    return [make("h2", {}, "That did not work"), make("p", {}, broken.message), button("Try again", () => this.library.more())];
  }

  #nothingYet() {
    return [
      make("h2", {}, "Add your first photo"),
      make("p", {}, "Drop photos or whole folders anywhere on this page, or paste a picture. What is on them is recognised within seconds, and you can search for it."),
      make("p", {}, button("Add photos", this.add, { class: "primary" })),
    ];
  }

  #nothingFound() {
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
