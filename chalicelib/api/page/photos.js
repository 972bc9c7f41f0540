/** The page of photos: the bar above them, the grid, and what is shown when there are none. */

import { make, button } from "./dom.js";
import { LabelChips } from "./label-chips.js";
import { Grid } from "./grid.js";
import { Scrubber, until } from "./months.js";
import { EmptyState } from "./empty-state.js";
import { skeleton } from "./loading.js";
import { ResultBar } from "./result-bar.js";
import { go, place } from "./route.js";
import { isFinal, isWatched, watch } from "./label-watch.js";

const REFRESH = 10_000; // milliseconds: what comes into the bucket by another way shows up by itself
const SELDOM = 60_000; // where nobody moves: each look is a call
const WATCHED = 40; // images that may be labelled at any moment, of those that came last
const INDEXED = 2500; // until what was labelled just now is found: where nothing is, one more look is due
const [RECOVERY, SLOWEST_RECOVERY] = [2000, 30_000]; // milliseconds until what was broken is tried again

export class Photos {
  #shown = null;
  #pause = REFRESH;
  #looked = Date.now();
  #timer = 0;
  #recovery = { timer: 0, pause: RECOVERY };

  /** `library` and `selection` are shown, `search` says where a query breaks off, `add()` hands photos in. */
  constructor({ library, selection, search, add, remove }) {
    Object.assign(this, { library, selection, search });
    this.grid = new Grid(library, selection, { remove });
    this.chips = new LabelChips();
    this.results = new ResultBar(library, selection);
    this.nothing = new EmptyState(add);
    this.waiting = make("div", { class: "waiting", "aria-hidden": "true" }); // over the grid, so that nothing is moved aside
    this.note = make("div", { class: "note" });
    this.title = make("h1", { class: "unseen" }, "Photos");
    this.newer = make("p", { class: "newer", hidden: true }, button("Newer photos", () => go({ ...place(), until: "" })));
    this.scrubber = new Scrubber((month) => this.#jump(month), () => this.grid.month);
    addEventListener("scroll", () => library.sort && this.element.isConnected && this.scrubber.follow(), { passive: true });
    const parts = [this.title, this.chips.element, this.results.element, this.newer, this.waiting, this.grid.element, this.note, this.scrubber.element];
    this.element = make("div", { class: "photos" }, ...parts);
    library.addEventListener("change", () => this.#tell());
    this.#soon(REFRESH);
    const awake = () => document.hidden || this.#pause === REFRESH || this.#soon(REFRESH);
    for (const sign of ["pointermove", "keydown", "visibilitychange"]) document.addEventListener(sign, awake, { passive: true });
    addEventListener("online", () => this.#recover());
  }

  /** Show what a search finds, scrolled to where it was left. */
  async show({ q, sort, until: month }, scroll) {
    const shown = [sort, month, q].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.grid.clear();
    if (this.selection.size) this.selection.clear();
    const chips = this.chips.show(q);
    const opened = this.library.open(until(q, sort && month), sort);
    this.results.open(this.library.query);
    this.newer.hidden = !sort || !month;
    this.scrubber.show(Boolean(sort));
    await opened;
    if (shown !== this.#shown) return;
    await this.#scroll(scroll);
    await chips;
    const { broken, ids, complete } = this.library;
    if (complete && !ids.length) setTimeout(() => shown === this.#shown && this.library.refresh().catch(() => {}), INDEXED);
    if (shown === this.#shown && broken?.body?.pointer === "?q") this.search.refuse(broken);
  }

  /** To a month: on this list if it has come so far, else by a list that begins there. */
  #jump(month) {
    if (!this.grid.scrollToMonth(month)) go({ ...place(), until: month || "undated" });
  }

  /** Labels have changed: so may have their numbers. */
  refreshChips() {
    this.chips.show(place().q);
  }

  /** Show nothing until something is asked for. */
  forget() {
    this.#shown = null;
    this.grid.clear();
    this.selection.clear();
    this.chips.element.replaceChildren();
    this.library.forget();
  }

  /** Scroll to where the list was left; fetch as much as that takes. */
  async #scroll(to) {
    this.grid.render();
    while (to > document.documentElement.scrollHeight - innerHeight && !this.library.complete && !this.library.broken) {
      await this.library.more();
      this.grid.render();
    }
    scrollTo(0, to);
  }

  /** Look again after a while, which doubles as long as nobody moves and nothing new comes. */
  #soon(pause) {
    this.#pause = pause;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), Math.max(0, this.#looked + pause - Date.now()));
  }

  #look() {
    this.#looked = Date.now();
    this.#soon(Math.min(2 * this.#pause, SELDOM));
    const reading = document.hidden || scrollY > innerHeight || !this.element.isConnected;
    if (reading || this.library.broken || this.#shown === null) return;
    this.library.refresh().then((news) => news && this.#soon(REFRESH), () => {}); // it is tried again
  }

  /** Try again what failed, less and less often, but not a query that cannot be read. */
  #recover() {
    const { broken } = this.library;
    clearTimeout(this.#recovery.timer);
    if (broken?.passes && this.element.isConnected) this.library.more();
  }

  #tell() {
    const { library } = this;
    for (const id of library.ids.slice(0, WATCHED)) this.#watch(library.get(id));
    const { length } = library.ids;
    const waits = !length && !library.complete && !library.broken && !library.dry;
    if (waits !== this.waiting.hasChildNodes()) this.waiting.replaceChildren(...(waits ? [skeleton("tiles")] : []));
    if (library.broken) this.#showBroken(library.broken);
    else if (library.dry) this.note.replaceChildren(make("p", {}, length ? "Many photos were looked through, and no more are like that so far." : "Many photos were looked through, and none is like that so far."), button("Search on", () => library.more()));
    else if (length) this.note.replaceChildren(library.complete ? "" : make("p", { class: "muted" }, "Loading more …"));
    else if (!library.complete) this.note.replaceChildren();
    else this.nothing.fill(this.note, library.query);
    if (library.sort) this.scrubber.follow();
    if (length && !library.broken) this.#recovery.pause = RECOVERY;
  }

  #watch(image) {
    if (image.status !== "labelling" || isWatched(image.id)) return;
    watch(image.id, (known) => (this.library.update(known), isFinal(known) && this.refreshChips()));
  }

  #showBroken(broken) {
    if (broken.body?.pointer === "?q") return this.nothing.unreadable(this.note);
    this.note.replaceChildren(make("h2", {}, "That did not work"), make("p", { role: "alert" }, broken.message), button("Try again", () => this.library.more()));
    if (!broken.passes) return undefined;
    clearTimeout(this.#recovery.timer);
    this.#recovery.timer = setTimeout(() => this.#recover(), this.#recovery.pause);
    this.#recovery.pause = Math.min(2 * this.#recovery.pause, SLOWEST_RECOVERY);
    return undefined;
  }
}
