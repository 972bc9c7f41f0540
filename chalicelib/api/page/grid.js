/** The grid of photos. Only tiles near the window are in the document. */

import { between, HEADING, heightOf, rows } from "./layout.js";
import { make } from "./dom.js";
import { monthName, monthOf } from "./months.js";
import { ratioOf, Tile } from "./tile.js";

const PRINTED = 600; // of what was loaded
const KEPT = 400; // tiles out of sight that are kept, so that scrolling back fetches nothing again

export class Grid {
  #tiles = new Map();
  #headings = new Map();
  #rows = [];
  #places = new Map();
  #width = 0;
  #stale = true;
  #focused = null;
  #seen = ""; // which rows are in the document as they are; nothing where they are to be looked at anew
  #seam = null; // the photo that was first when others came in above what is looked at
  #frame = 0;

  /** `selection` knows what is picked; `remove(ids)` is called when somebody wants images gone. */
  constructor(library, selection, { remove }) {
    this.library = library;
    this.selection = selection;
    this.remove = remove;
    this.element = make("ul", { class: "grid", "aria-label": "Photos", keydown: (event) => this.#key(event), click: (event) => this.#click(event) });
    this.element.addEventListener("contextmenu", (event) => this.#pressed(event));
    this.element.addEventListener("focusin", (event) => this.#focus(event.target.closest(".tile")?.dataset.id));
    library.addEventListener("change", () => this.#soon((this.#stale = true)));
    selection.addEventListener("change", () => this.#mark());
    addEventListener("scroll", () => this.#soon(), { passive: true });
    addEventListener("beforeprint", () => this.#showAll());
    new ResizeObserver(() => this.#soon()).observe(this.element);
  }

  /** Forget all tiles: another search has begun. */
  clear() {
    this.#tiles.clear();
    this.#headings.clear();
    this.#focused = this.#seam = null;
    this.#seen = "";
    this.element.replaceChildren();
  }

  /** Put the focus on an image's tile, and the tile into sight. */
  focus(id) {
    const row = this.#rows.find((one) => one.items.some((item) => item.id === id));
    if (!row) return;
    this.#focused = id;
    this.#seen = "";
    this.#scrollTo(row);
    this.render();
    this.#tiles.get(id)?.link.focus({ preventScroll: true });
  }

  /** The month that is looked at, in a list by date. */
  get month() {
    const above = document.querySelector(".top").offsetHeight - this.element.getBoundingClientRect().top;
    return between(this.#rows, above, Math.max(above, 0) + 2 * HEADING)[0]?.group;
  }

  /** Bring a month's heading into sight; whether it is there. */
  scrollToMonth(month) {
    const row = this.#rows.find((one) => one.heads && one.group === month);
    if (!row) return false;
    scrollBy(0, this.element.getBoundingClientRect().top + row.top - HEADING - document.querySelector(".top").offsetHeight - 8);
    this.render();
    return true;
  }

  /** Show what is near the window; lay it out anew where something has changed. */
  render() {
    if (this.#stale || this.element.clientWidth !== this.#width) this.#layOut();
    const above = -this.element.getBoundingClientRect().top;
    const near = between(this.#rows, above - innerHeight, above + 2 * innerHeight);
    const seen = [near[0]?.top, near.at(-1)?.top].join();
    if (seen !== this.#seen) this.#show(near);
    this.#seen = seen;
    const nearTheEnd = heightOf(this.#rows) - above < 3 * innerHeight;
    if (nearTheEnd && this.library.ids.length && !this.library.broken && !this.library.dry) this.library.more();
  }

  /** What comes in above what is looked at does not push it away, nor along its row. */
  #layOut() {
    const above = -this.element.getBoundingClientRect().top;
    this.#seam = above > 0 ? (this.#seam ?? this.#rows[0]?.items[0].id) : null;
    const seen = above > 0 ? between(this.#rows, above, above + innerHeight)[0] : undefined;
    const before = seen?.top;
    this.#arrange();
    const now = seen && this.#rows.find((row) => row.items.some((item) => item.id === seen.items[0].id));
    if (now && now.top !== before) scrollBy(0, now.top - before);
  }

  #arrange() {
    const { ids } = this.library;
    this.#width = this.element.clientWidth;
    this.#stale = !this.#width;
    this.#seen = "";
    this.#places = new Map(ids.map((id, index) => [id, index + 1]));
    const group = this.library.sort ? monthOf : () => undefined;
    const tiles = ids.map((id) => ({ id, ratio: ratioOf(this.library.get(id)), group: group(this.library.get(id)) }));
    this.#rows = this.#width ? rows(tiles, this.#width, this.#seam) : [];
    this.element.style.height = `${heightOf(this.#rows)}px`;
    for (const row of this.#rows) if (row.heads) this.#places.set(`month ${row.group}`, this.#places.get(row.items[0].id) - 0.5);
  }

  #soon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.element.isConnected) this.render();
    });
  }

  /** On paper there is no window to be near to. */
  #showAll() {
    if (!this.element.isConnected) return;
    const some = this.#rows.slice(0, this.#rows.findIndex((row) => this.#places.get(row.items[0].id) > PRINTED) >>> 0);
    this.#show(some);
    this.#seen = "";
    for (const row of some) for (const { id } of row.items) this.#tiles.get(id).load();
  }

  #show(near) {
    const wanted = new Set(near.flatMap((row) => row.items.map((item) => item.id)));
    // The focus must not fall out of the document.
    if (this.#places.has(this.#focused) && this.#tiles.has(this.#focused)) wanted.add(this.#focused);
    const headings = near.filter((row) => row.heads).map((row) => this.#head(row));
    for (const row of near) for (const item of row.items) this.#place(item, row);
    for (const tile of [...this.element.children]) if (!wanted.has(tile.dataset.id) && !headings.includes(tile)) tile.remove();
    this.#forget(wanted);
    const first = wanted.has(this.#focused) ? this.#focused : near[0]?.items[0].id;
    for (const id of wanted) this.#tiles.get(id).link.tabIndex = id === first ? 0 : -1;
  }

  /** A month's heading above its first row. */
  #head({ group, top }) {
    const id = `month ${group}`;
    const made = this.#headings.get(id) ?? make("li", { class: "month", "data-id": id }, make("h2", {}, monthName(group)));
    this.#headings.set(id, made);
    made.style.translate = `0 ${top - HEADING}px`;
    if (!made.isConnected) this.#insert(made);
    return made;
  }

  #forget(wanted) {
    for (const id of this.#tiles.keys()) {
      if (this.#tiles.size <= KEPT) return;
      if (!wanted.has(id)) this.#tiles.delete(id);
    }
  }

  #place(item, row) {
    const tile = this.#tile(item.id);
    tile.update(this.library.get(item.id));
    tile.move(item, row);
    tile.element.setAttribute("aria-posinset", this.#places.get(item.id));
    tile.element.setAttribute("aria-setsize", this.library.complete ? this.#places.size : -1);
    if (!tile.element.isConnected) this.#insert(tile.element);
    tile.settle();
  }

  /** In the order of the images, which is the order in which they are read out. */
  #insert(element) {
    const place = (tile) => this.#places.get(tile.dataset.id);
    const next = [...this.element.children].find((one) => place(one) > place(element));
    this.element.insertBefore(element, next ?? null);
  }

  #tile(id) {
    const known = this.#tiles.get(id);
    if (known) return known;
    const pick = (event) => this.selection.pick(id, { through: event.shiftKey });
    const made = new Tile(this.library.get(id), { pick });
    made.picked(this.selection.has(id));
    this.#tiles.set(id, made);
    return made;
  }

  #mark() {
    this.element.classList.toggle("picking", this.selection.picking);
    for (const [id, tile] of this.#tiles) tile.picked(this.selection.has(id));
  }

  #focus(id) {
    if (!id || id === this.#focused) return;
    this.#focused = id;
    this.#seen = "";
    this.#soon();
  }

  /** While others are picked, a click on a photo picks it; `Enter` opens it all the same. */
  #click(event) {
    const id = event.target.closest(".open") && event.target.closest(".tile").dataset.id;
    if (!id || !event.detail || !this.selection.picking || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.selection.pick(id, { through: event.shiftKey });
  }

  /** A long touch begins to pick. */
  #pressed(event) {
    const id = event.target.closest(".tile")?.dataset.id;
    if (!id || event.pointerType !== "touch") return;
    event.preventDefault();
    this.selection.pick(id);
  }

  #scrollTo(row) {
    const bar = document.querySelector(".top").offsetHeight + 12;
    const top = this.element.getBoundingClientRect().top + row.top;
    if (top < bar) scrollBy(0, top - bar);
    else if (top + row.height > innerHeight - 12) scrollBy(0, top + row.height - innerHeight + 12);
  }

  #key(event) {
    const id = event.target.closest(".tile")?.dataset.id;
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.#neighbour(id, event.key);
    if (next) this.#goTo(next, event);
    else if (event.key === "x" || (event.key === " " && event.target.matches(".open"))) this.selection.pick(id, { through: event.shiftKey });
    else if (event.key === "Delete") this.remove(this.selection.has(id) && !this.selection.everything ? this.selection.ids : [id]);
    else return;
    event.preventDefault();
  }

  #goTo(next, event) {
    if (event.shiftKey) this.selection.pick(next, { through: true });
    this.focus(next);
  }

  #neighbour(id, key) {
    const { ids } = this.library;
    const at = ids.indexOf(id);
    const along = { ArrowLeft: ids[at - 1], ArrowRight: ids[at + 1], Home: ids[0], End: ids.at(-1) }[key];
    return along ?? this.#across(id, { ArrowUp: -1, ArrowDown: 1 }[key]);
  }

  /** The tile of the next row that is closest to this one's middle. */
  #across(id, step) {
    if (!step) return undefined;
    const at = this.#rows.findIndex((row) => row.items.some((item) => item.id === id));
    const here = this.#rows[at].items.find((item) => item.id === id);
    const middle = (item) => item.left + item.width / 2;
    const away = (item) => Math.abs(middle(item) - middle(here));
    return this.#rows[at + step]?.items.toSorted((a, b) => away(a) - away(b))[0].id;
  }
}
