/** The images that the search finds, newest first, as far as they have been fetched. */

import { call } from "./api.js";

const PAGE = 60; // enough for a wide screen and a half
const LONGEST_DRY_RUN = 20; // pages without an image, of which a rare search may have some

export class Library extends EventTarget {
  #known = new Map();
  #order = [];
  #cursor = null;
  #loading = null;
  #hidden = new Set();
  #search = 0;

  /** What is searched for. */
  query = "";
  /** Whether every image that is found has been fetched. */
  complete = false;
  /** The error that fetching more ended with, or null. */
  broken = null;

  /** The ids, in order. */
  get ids() {
    return this.#order;
  }

  get(id) {
    return this.#known.get(id);
  }

  /** Begin anew with another search; resolves when there is something to show. */
  open(query) {
    this.query = query;
    this.#search += 1; // what older searches still bring is not taken in
    this.#order = [];
    this.#known.clear();
    this.#cursor = null;
    this.#loading = null;
    this.complete = false;
    this.#changed();
    return this.more();
  }

  /** Fetch the next page, once at a time; what went wrong is found in `broken`. */
  more() {
    if (this.complete) return Promise.resolve();
    this.#loading ??= this.#fetching();
    return this.#loading;
  }

  /** Put an image in front, if the search is for all of them. */
  add(image) {
    if (!this.query && !this.#order.includes(image.id)) this.#order = [image.id, ...this.#order];
    this.update(image);
  }

  /** Take over what is new about an image. */
  update(image) {
    if (this.#hidden.has(image.id)) return;
    this.#keep(image);
    this.#changed();
  }

  /** Take an image out of sight; the answer puts it back where it was. */
  hide(id) {
    const [before, image] = [this.#order, this.#known.get(id)];
    this.#hidden.add(id);
    this.#order = before.filter((one) => one !== id);
    this.#changed();
    return () => this.#restore(id, image, before);
  }

  /** Take in what has come since; new images stand in front. Resolves to how many there are. */
  async refresh() {
    const mine = this.#search;
    const page = await call("GET", address(this.query, null, PAGE));
    if (mine !== this.#search || this.#loading) return 0;
    const seen = page.images.filter((one) => !this.#hidden.has(one.id));
    const listed = new Set(this.#order);
    const fresh = seen.map((one) => one.id).filter((id) => !listed.has(id));
    seen.forEach((image) => this.#keep(image));
    this.#order = [...this.#order, ...fresh].sort().reverse(); // ids sort by time
    this.#changed();
    return fresh.length;
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
      const page = await call("GET", address(this.query, this.#cursor, PAGE));
      if (mine !== this.#search) return;
      this.#take(page);
      if (page.images.length || this.complete) return;
    }
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

  /** The service cannot know that an upload which it awaits is on its way from here. */
  #keep(image) {
    const { status: sent, thumbnail_url } = this.#known.get(image.id) ?? {};
    const early = image.status === "awaiting_upload" && (sent === "uploading" || sent === "labelling");
    const whole = image.thumbnail_url || !thumbnail_url ? image : { ...image, thumbnail_url }; // not all answers have it
    this.#known.set(image.id, early ? { ...whole, status: sent } : whole);
  }

  #restore(id, image, before) {
    this.#hidden.delete(id);
    if (!image) return;
    const place = before.slice(0, before.indexOf(id)).reverse().find((one) => this.#order.includes(one));
    this.#order = this.#order.toSpliced(place ? this.#order.indexOf(place) + 1 : 0, 0, id);
    this.update(image);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

function address(query, cursor, limit) {
  const parameters = new URLSearchParams({ limit, with: "thumbnail_url" });
  if (query) parameters.set("q", query);
  if (cursor) parameters.set("cursor", cursor);
  return `images?${parameters}`;
}
