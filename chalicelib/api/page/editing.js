/** What can be done with all picked images at once. */

import { call } from "./api.js";
import { button, make } from "./dom.js";
import { suggestions } from "./suggestions.js";
import { complain, notify } from "./toasts.js";
import { many } from "./words.js";

const AT_ONCE = 100; // images that the service takes in one request

/** The bar for `selection`, in the place of an element; `remove(ids)` is called when they are to go. */
export class EditingBar {
  constructor(selection, place, { remove, library, edited }) {
    Object.assign(this, { selection, removeAll: remove, library, edited });
    const list = suggestions("picked-names");
    this.input = make("input", { list: list.id, maxlength: "128", placeholder: "Label", "aria-label": "Label to add to or remove from the picked photos" });
    this.input.addEventListener("input", () => list.suggest(this.input.value));
    this.number = make("b");
    const add = make("button", {}, "Add label");
    const form = make("form", { class: "row", submit: (event) => (event.preventDefault(), this.#correct("add")) }, this.input, add, button("Remove label", () => this.#correct("remove")), list);
    const tools = [
      button("Label again", () => this.#relabel(), { icon: "again", class: "quiet" }),
      button("Delete", () => this.#remove(), { icon: "bin", class: "quiet" }),
      button("Pick none", () => selection.clear(), { icon: "close", class: "quiet" }),
    ];
    this.element = make("section", { class: "picked-bar", "aria-label": "Picked photos", hidden: true }, this.number, form, make("div", { class: "tools" }, ...tools));
    place.replaceWith(this.element);
    selection.addEventListener("change", () => this.#show());
  }

  #show() {
    this.element.hidden = !this.selection.size;
    this.number.textContent = many(this.selection.size, "photo");
  }

  async #correct(what) {
    const name = this.input.value.trim();
    const { ids } = this.selection;
    if (!name) return this.input.focus();
    try {
      const outcomes = [];
      for (const some of chunks(ids)) outcomes.push(...(await call("POST", "images/labels", { ids: some, [what]: [name] })).images);
      const changed = outcomes.filter((one) => one.outcome === "changed");
      notify(`${name} was ${what === "add" ? "added to" : "removed from"} ${many(changed.length, "photo")}.`);
      this.input.value = "";
      await this.#again(changed.map((one) => one.id));
    } catch (error) {
      complain(error);
    }
  }

  async #again(ids) {
    await Promise.all(ids.map(async (id) => this.library.update(await call("GET", `images/${id}`))));
    this.edited();
  }

  async #relabel() {
    const { ids } = this.selection;
    const done = await Promise.allSettled(ids.map((id) => call("POST", `images/${id}/relabel`, {})));
    const begun = done.filter((one) => one.status === "fulfilled");
    for (const { value } of begun) this.library.update(value);
    if (begun.length) notify(`${many(begun.length, "photo")} will be labelled again.`);
    const refused = done.find((one) => one.status === "rejected");
    if (refused) complain(refused.reason);
    this.selection.clear();
  }

  #remove() {
    this.removeAll(this.selection.ids);
  }
}

function* chunks(ids) {
  for (let at = 0; at < ids.length; at += AT_ONCE) yield ids.slice(at, at + AT_ONCE);
}
