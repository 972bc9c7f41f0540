/** The images that the search finds, by upload or by date taken, newest first, as far as they were fetched. */

import { at, call } from "./api.js";
import { dateOf } from "./months.js";

const PAGE = 60; // enough for a wide screen and a half
const WHOLE_PAGE = 200; // the most that the service gives
const LONGEST_DRY_RUN = 20; // pages without an image, of which a rare search may have some
const SHELVES = 5; // searches that are kept as they were left, to go back to
const FRESH = 60_000; // milliseconds in which an image may not be listed yet

export class Library extends EventTarget {
  #known = new Map();
  #order = [];
  #cursor = null;
  #loading = null;
  #hidden = new Set();
  #restored = new Map(); // when images came out of the bin, by id
  #search = 0;
  #shelves = new Map();

  /** What is searched for. */
  query = "";
  /** "taken" where the list is sorted by date taken. */
  sort = "";
  /** Whether every image that is found has been fetched. */
  complete = false;
  /** The error that fetching more ended with, or null. */
  broken = null;
  /** Whether fetching has paused as many pages held nothing: a rare search may go on for long. */
  dry = false;

  /** The ids, in order. */
  get ids() {
    return this.#order;
  }

  get(id) {
    return this.#known.get(id);
  }

  /** Begin with another search, or go on with one where it was left; resolves when there is something to show. */
  open(query, sort = "") {
    this.#putAway();
    const left = this.#shelves.get(sort + query);
    Object.assign(this, { query, sort, broken: null, dry: false, complete: left?.complete ?? false });
    this.#search += 1; // what older searches still bring is not taken in
    this.#order = (left?.order ?? []).filter((id) => !this.#hidden.has(id));
    this.#cursor = left?.cursor ?? null;
    this.#loading = null;
    this.#changed();
    if (!left) return this.more();
    this.refresh().catch(() => {}); // it is looked at again by and by
    return Promise.resolve();
  }

  /** Fetch the next page, once at a time; what went wrong is found in `broken`. */
  more() {
    if (this.complete) return Promise.resolve();
    this.dry = false;
    this.#loading ??= this.#fetching();
    return this.#loading;
  }

  /** Put an image in front, if the search is for all of them. */
  add(image) {
    if (!this.query && !this.sort && !this.#order.includes(image.id) && !this.#hidden.has(image.id)) this.#order = [image.id, ...this.#order];
    this.update(image);
  }

  /** Update an image. */
  update(image) {
    if (this.#hidden.has(image.id)) return;
    this.#keep(image);
    this.#changed();
  }

  /** Hide an image; the answer is a function that puts it back. */
  hide(id) {
    const [before, search] = [this.#order, this.#search];
    this.#hidden.add(id);
    this.#order = before.filter((one) => one !== id);
    this.#changed();
    return () => this.#restore(id, before, search);
  }

  /** Images were restored; which ones may not be known. */
  welcome(ids = [...this.#hidden]) {
    for (const id of ids) this.#unhide(id);
    return this.refresh();
  }

  /** Fetch again what is shown, after much of it has gone. */
  anew() {
    this.#order = [];
    this.#shelves.clear();
    return this.open(this.query, this.sort);
  }

  /** Forget everything: whoever comes next may not see it. */
  forget() {
    this.#known.clear();
    this.#hidden.clear();
    this.#shelves.clear();
    this.#search += 1;
    Object.assign(this, { query: "", sort: "", complete: false, broken: null });
    this.#order = [];
    this.#cursor = this.#loading = null;
    this.#changed();
  }

  /** Take in what has come, changed and gone since at the beginning of the list. Resolves to how many have come. */
  async refresh() {
    const mine = this.#search;
    const page = await call("GET", this.#page(null, PAGE));
    if (mine !== this.#search || this.#loading || (page.next_cursor && !page.images.length)) return 0;
    const seen = page.images.filter((one) => !this.#hidden.has(one.id));
    const fresh = seen.filter((one) => !this.#order.includes(one.id)).length;
    seen.forEach((image) => this.#keep(image));
    this.#merge(seen.map((one) => one.id), page.next_cursor === null);
    this.#changed();
    return fresh;
  }

  /** Read images again that have been changed together, by as few calls as there may be. */
  async reread(ids) {
    const wanted = new Set(ids);
    const mine = this.#search;
    for (let cursor = null; wanted.size > 4; ) {
      const page = await call("GET", this.#page(cursor, WHOLE_PAGE));
      if (mine !== this.#search) return;
      for (const image of page.images) if (wanted.delete(image.id)) this.#keep(image);
      cursor = page.next_cursor;
      this.#changed();
      if (!cursor) break;
    }
    if (wanted.size > WHOLE_PAGE) return; // they are in no search that is shown
    for (const id of wanted) this.update(await call("GET", at`images/${id}`.with({ with: "thumbnail_url" })));
  }

  async #fetching() {
    const mine = this.#search;
    this.broken = null;
    try {
      await this.#fetch(mine);
    } catch (error) {
      if (mine === this.#search) this.broken = error;
    }
    if (mine !== this.#search) return;
    this.#loading = null;
    this.#changed();
  }

  async #fetch(mine) {
    for (let dry = 0; dry < LONGEST_DRY_RUN; dry += 1) {
      const page = await call("GET", this.#page(this.#cursor, PAGE));
      if (mine !== this.#search) return;
      this.#take(page);
      if (page.images.length || this.complete) return;
    }
    this.dry = true;
  }

  #page(cursor, limit) {
    return at`images`.with({ q: this.query, order: this.sort, cursor, limit, with: "thumbnail_url" });
  }

  #take(page) {
    const listed = new Set(this.#order); // more may be known: the one that is looked at
    const fresh = page.images.filter((one) => !listed.has(one.id) && !this.#hidden.has(one.id));
    fresh.forEach((image) => this.#keep(image));
    this.#order = [...this.#order, ...fresh.map((one) => one.id)];
    this.#cursor = page.next_cursor;
    this.complete = page.next_cursor === null;
    this.#changed();
  }

  /** The list begins like a page; what should be on it and is not has gone, unless it is too new to be listed. */
  #merge(first, whole) {
    const listed = new Set(first);
    const end = whole ? this.#order.length : this.#order.indexOf(first.at(-1)) + 1;
    const missing = this.#order.slice(0, end).filter((id) => !listed.has(id) && this.#mayCome(id));
    const rest = this.#order.slice(end).filter((id) => !listed.has(id));
    const placed = [...missing, ...first, ...rest].map((id) => [this.sort ? dateOf(this.#known.get(id)) : id, id]); // ids sort by time
    this.#order = placed.sort(([a], [b]) => (a < b ? 1 : -1)).map(([, id]) => id);
    if (whole) this.complete = true;
  }

  #mayCome(id) {
    const { status, created_at } = this.#known.get(id) ?? {};
    if (Date.now() - (this.#restored.get(id) ?? 0) < FRESH) return true;
    return status === "uploading" || status === "labelling" || Date.now() - Date.parse(created_at) < FRESH;
  }

  #putAway() {
    if (!this.#order.length) return;
    this.#shelves.delete(this.sort + this.query);
    this.#shelves.set(this.sort + this.query, { order: this.#order, cursor: this.#cursor, complete: this.complete });
    if (this.#shelves.size > SHELVES) this.#shelves.delete(this.#shelves.keys().next().value);
  }

  /** The service cannot know that an upload which it awaits is on its way from here. */
  #keep(image) {
    const { status: sent, thumbnail_url } = this.#known.get(image.id) ?? {};
    const early = image.status === "awaiting_upload" && (sent === "uploading" || sent === "labelling");
    const whole = image.thumbnail_url || !thumbnail_url ? image : { ...image, thumbnail_url }; // not all answers have it
    this.#known.set(image.id, early ? { ...whole, status: sent } : whole);
  }

  #unhide(id) {
    this.#hidden.delete(id);
    this.#restored.set(id, Date.now());
  }

  #restore(id, before, search) {
    this.#unhide(id);
    if (search !== this.#search || !before.includes(id)) return; // another search is shown by now
    const place = before.slice(0, before.indexOf(id)).reverse().find((one) => this.#order.includes(one));
    this.#order = this.#order.toSpliced(place ? this.#order.indexOf(place) + 1 : 0, 0, id);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
