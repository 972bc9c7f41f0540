/** The bar for all picked images: label, correct, export, delete. */

import { announce } from "./announcements.js";
import { at, call } from "./api.js";
import { button, make } from "./dom.js";
import { download, exportFound } from "./exports.js";
import { followJob } from "./jobs.js";
import { removeFound } from "./deletion.js";
import { suggestions } from "./suggestions.js";
import { tellTabs } from "./tabs.js";
import { complain, notify, progressToast, undoableToast } from "./toasts.js";
import { many } from "./formats.js";

const AT_ONCE = 100; // images that the service takes in one request
const ABREAST = 4; // requests

/** The bar for `selection`, in the place of an element; `remove(ids)` is called when they are to go. */
export class BulkEditBar {
  constructor(selection, place, { remove, results, library, edited }) {
    Object.assign(this, { selection, removeAll: remove, results, library, edited });
    const list = suggestions("picked-names");
    this.input = make("input", { list: list.id, maxlength: "128", placeholder: "Label", "aria-label": "Label to add to or remove from the picked photos" });
    this.input.addEventListener("input", () => list.suggest(this.input.value));
    this.number = make("b");
    const add = make("button", {}, "Add label");
    const form = make("form", { class: "row", submit: (event) => (event.preventDefault(), this.#correct("add")) }, this.input, add, button("Remove label", () => this.#correct("remove")), list);
    const tool = (name, icon, does) => button(name, does, { icon, class: "quiet" });
    const tools = [tool("Download", "down", () => this.#download()), tool("Label again", "again", () => this.#relabel()), tool("Delete", "bin", () => this.#remove()), tool("Pick none", "close", () => selection.clear())];
    this.element = make("section", { class: "picked-bar", "aria-label": "Picked photos", hidden: true }, this.number, form, make("div", { class: "tools" }, ...tools));
    place.replaceWith(this.element);
    selection.addEventListener("change", () => this.#show());
  }

  /** Be there where the photos are to be seen, and nowhere else. */
  there(yes) {
    this.element.classList.toggle("away", !yes);
  }

  #show() {
    const { size, everything } = this.selection;
    const text = everything ? `All: ${this.results.found}` : many(size, "photo");
    if (size) announce("picked", `${text} picked.`);
    else if (!this.element.hidden) announce("picked", "Nothing is picked.");
    this.element.hidden = !size;
    this.number.textContent = text;
  }

  async #correct(what) {
    const name = this.input.value.trim();
    if (!name) return this.input.focus();
    const did = what === "add" ? "added to" : "removed from";
    try {
      if (this.selection.everything) return await this.#correctFound(what, name, did);
      const outcomes = [];
      for (const some of chunks(this.selection.ids)) outcomes.push(...(await call("POST", at`images/labels`, { ids: some, [what]: [name] })).images);
      const changed = outcomes.filter((one) => one.outcome === "changed").map((one) => one.id);
      undoableToast(`${name} was ${did} ${many(changed.length, "photo")}.`, { undo: () => this.#takeBack(changed, name) });
      this.input.value = "";
      return await this.#again(changed);
    } catch (error) {
      return complain(error);
    }
  }

  async #correctFound(what, name, did) {
    const job = await call("POST", at`images/labels`, { q: this.selection.query, [what]: [name] });
    this.input.value = "";
    const { changed } = await followJob(job, what === "add" ? `Adding ${name}` : `Removing ${name}`, "changed");
    notify(`${name} was ${did} ${many(changed, "photo")}.`);
    await this.#again(this.library.ids);
  }

  async #takeBack(ids, name) {
    await abreast(ids, (id) => call("DELETE", at`images/${id}/corrections/${name}`), "Taking back").catch(complain);
    await this.#again(ids);
  }

  async #again(ids) {
    await this.library.reread(ids);
    tellTabs("changed", ids);
    this.edited();
  }

  async #relabel() {
    const { everything, query, ids } = this.selection;
    this.selection.clear();
    try {
      if (everything) {
        await followJob(await call("POST", at`relabel`, { q: query }), "Labelling again", "will be labelled again");
        return await this.library.refresh();
      }
      const images = await abreast(ids, (id) => call("POST", at`images/${id}/relabel`, {}), "Asking");
      for (const image of images) this.library.update(image);
      return notify(`${many(images.length, "photo")} will be labelled again.`);
    } catch (error) {
      return complain(error);
    }
  }

  async #download() {
    const { everything, ids } = this.selection;
    try {
      if (everything) await exportFound(this.library.query, "zip");
      else await download(ids.map((id) => this.library.get(id)));
    } catch (error) {
      complain(error);
    }
  }

  async #remove() {
    const { everything, query, ids } = this.selection;
    if (!everything) return this.removeAll(ids);
    try {
      await removeFound(query, this.results.found);
      this.selection.clear();
      return await this.library.anew();
    } catch (error) {
      return complain(error);
    }
  }
}

function* chunks(ids) {
  for (let place = 0; place < ids.length; place += AT_ONCE) yield ids.slice(place, place + AT_ONCE);
}

/** What `does(id)` promises for each, a few at a time; how far it is stands in a toast. What goes wrong ends it. */
async function abreast(ids, does, doing) {
  const told = progressToast(`${doing} …`);
  const answers = [];
  try {
    for (let place = 0; place < ids.length; place += ABREAST) {
      answers.push(...(await Promise.all(ids.slice(place, place + ABREAST).map(does))));
      told.tell(`${doing}: ${answers.length} of ${many(ids.length, "photo")} …`);
    }
  } finally {
    told.end();
  }
  return answers;
}
