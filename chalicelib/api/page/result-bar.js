/** The bar above the photos: how many were found, pick them all, export them. */

import { announce } from "./announcements.js";
import { at, call } from "./api.js";
import { button, make } from "./dom.js";
import { exportFound } from "./exports.js";
import { go, place } from "./route.js";
import { complain } from "./toasts.js";
import { count, many } from "./formats.js";

const FIRST = 60; // photos that come without being asked for
const ONE_LABEL = /^(?:"((?:[^"\\]|\\.)+)"|([^\s&|!()"@:<>=\\]+(?: [^\s&|!()"@:<>=\\]+)*))$/;

export class ResultBar {
  #exact = null;
  #about = null; // how many there are in all, asked for where somebody wants more than the first
  #said = "";
  #search = "";

  constructor(library, selection) {
    Object.assign(this, { library, selection });
    this.number = make("p", { class: "number" });
    this.begin = button("Select", () => selection.begin(!selection.picking), { "aria-pressed": "false" });
    this.all = button("Select all", () => selection.all());
    const way = (name, format) => button(name, () => exportFound(library.query, format).catch(complain));
    const menu = make("div", { class: "menu", popover: "auto", id: "export" }, way("List as CSV", "csv"), way("List as JSON Lines", "jsonl"), way("Photos as ZIP", "zip"));
    menu.addEventListener("click", () => menu.hidePopover());
    this.export = make("button", { type: "button", popovertarget: "export" }, "Export");
    this.sort = button("By date taken", () => go({ ...place(), sort: library.sort ? "" : "taken", until: "" }), { "aria-pressed": "false" });
    this.element = make("div", { class: "results", hidden: true }, this.number, make("div", { class: "row" }, this.sort, this.begin, this.all, this.export, menu));
    library.addEventListener("change", () => this.#show());
    selection.addEventListener("change", () => this.#show());
  }

  /** Find out how many a search finds; what was found is said as soon as it is there. */
  async open(query) {
    this.sort.setAttribute("aria-pressed", String(Boolean(this.library.sort)));
    this.#search = query;
    this.#exact = this.#about = null;
    this.#said = "";
    const [, quoted, plain] = ONE_LABEL.exec(query) ?? [];
    const name = (quoted?.replaceAll(/\\(.)/g, "$1") ?? plain)?.toLowerCase();
    if (!name) return;
    const { labels } = await call("GET", at`labels`.with({ prefix: name.slice(0, 128), limit: 1 })).catch(() => ({ labels: [] }));
    if (query !== this.#search || labels[0]?.name !== name) return;
    this.#exact = labels[0].count;
    this.#show();
  }

  /** "12 photos", "About 1,200 photos", or "More than 60 photos" as long as nobody has counted them. */
  get found() {
    const { ids, complete } = this.library;
    if (complete) return many(ids.length, "photo");
    if (this.#exact > ids.length) return many(this.#exact, "photo");
    return this.#about > ids.length ? `About ${many(this.#about, "photo")}` : `More than ${many(ids.length, "photo")}`;
  }

  /** All photos are those of all months, labelled or not yet: the sum is about right. */
  async #countAll() {
    this.#about = 0;
    const { months, undated } = await call("GET", at`months`).catch(() => ({ months: [], undated: 0 }));
    if (this.#search) return;
    this.#about = months.reduce((sum, one) => sum + one.count, undated);
    this.#show();
  }

  #show() {
    const { ids, complete, query, broken } = this.library;
    this.element.hidden = !ids.length;
    const wanted = ids.length > FIRST || (ids.length && (this.selection.picking || this.library.sort));
    if (!query && !complete && wanted && this.#about === null) this.#countAll();
    this.number.textContent = this.found;
    this.begin.setAttribute("aria-pressed", String(this.selection.picking));
    this.all.textContent = complete || this.#exact ? `Select all ${count(complete ? ids.length : this.#exact)}` : "Select all found";
    if ((!ids.length && !complete) || broken || this.#said === query) return;
    if (query || this.#said !== "") announce("found", `${this.found} found.`);
    this.#said = query;
  }
}
