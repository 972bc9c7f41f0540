/** The labels of one image: confidence, parents, reasons and corrections. */

import { announce } from "./announcements.js";
import { at, call } from "./api.js";
import { button, make, symbol } from "./dom.js";
import { suggestions } from "./suggestions.js";
import { address } from "./route.js";
import { tellTabs } from "./tabs.js";
import { complain, undoableToast } from "./toasts.js";
import { quoted, specific } from "./formats.js";

export class LabelList {
  #image = null;
  #busy = new Set(); // names that are being corrected
  #list = make("ul", { class: "labels" });
  #none = make("p", { class: "muted", hidden: true });
  #reason = make("p", { class: "reason", role: "status" });

  /** `changed(image)` is told of corrections. */
  constructor({ boxes, changed }) {
    Object.assign(this, { boxes, changed });
    const list = suggestions("label-names");
    this.input = make("input", { id: "new-label", list: list.id, maxlength: "128", placeholder: "Add a label", "aria-label": "Add a label" });
    this.input.addEventListener("input", () => list.suggest(this.input.value));
    const why = button("Why not?", () => this.#whyNot(), { title: "Why a label that you name is not there" });
    const form = make("form", { class: "row", submit: (event) => this.#add(event) }, this.input, make("button", {}, "Add"), why, list);
    this.element = make("section", { "aria-label": "Labels" }, make("h3", {}, "Labels"), this.#none, this.#list, form, this.#reason);
  }

  clear() {
    this.#image = null;
    this.#list.replaceChildren();
    this.#none.hidden = true;
    this.#reason.textContent = "";
  }

  /** Show an image's labels. Reasons stay, and so does the focus with its label; where that is gone, it goes on to the next. */
  show(image) {
    const rows = [...this.#list.children];
    const reasons = this.#image?.id === image.id ? rows.map((row) => [row.dataset.label, row.querySelector(".reason")]) : [];
    const place = rows.findIndex((row) => row.contains(document.activeElement));
    const control = document.activeElement.dataset.control;
    const onward = rows.slice(place).map((row) => row.dataset.label); // from the one that has the focus
    this.#image = image;
    const leading = specific(image.labels);
    const broad = image.labels.filter((label) => !leading.includes(label)).sort((a, b) => b.confidence - a.confidence);
    this.#list.replaceChildren(...leading.map((one) => this.#row(one)), ...broad.map((one) => this.#row(one, "broad")));
    this.#none.hidden = image.status !== "labelled" || image.labels.length > 0;
    this.#none.textContent = "Nothing was recognised. Add what you see.";
    const named = (name) => this.#list.querySelector(`[data-label="${CSS.escape(name)}"]`);
    for (const [name, reason] of reasons) if (reason) this.#open(named(name), reason);
    if (place < 0) return;
    const next = onward.map(named).find(Boolean);
    (next?.querySelector(`[data-control=${control}]`) ?? this.input).focus();
  }

  #row(label, kind = "") {
    const where = label.instances.length ? `, ${label.instances.length} marked in the photo` : "";
    const name = make("a", { href: address({ q: quoted(label.name) }), "data-go": true, "data-control": "name", title: `Find ${label.name}${where}` }, label.name);
    const sure = button(`${Math.round(label.confidence)}%`, () => this.#why(label, row), { class: "sure", "data-control": "why", "aria-expanded": "false", "aria-label": `Why ${label.name}? ${Math.round(label.confidence)}%`, title: "Why?" });
    const bar = make("meter", { min: "0", max: "100", value: label.confidence, "aria-label": `${label.name}, confidence` });
    const remove = button(`Remove ${label.name}`, () => this.#remove(label), { icon: "close", class: "quiet", "data-control": "remove" });
    const marked = label.instances.length ? symbol("boxes") : null;
    const by = label.source === "person" ? make("span", { class: "by" }, "by a person") : null;
    const parents = label.parents.length ? make("span", { class: "parents" }, label.parents.join(" · ")) : null;
    const shows = {
      mouseenter: () => this.boxes.show(label),
      mouseleave: () => this.boxes.show(null),
      focusin: () => this.boxes.show(label),
      focusout: () => this.boxes.show(null),
      keydown: (event) => this.#key(event, label),
    };
    const row = make("li", { class: `label ${kind}`, "data-label": label.name, ...shows }, make("span", { class: "name" }, name, marked, by), sure, remove, bar, parents);
    return row;
  }

  #key(event, label) {
    if (!["Delete", "Backspace"].includes(event.key)) return;
    event.preventDefault(); // the photo itself is not meant
    this.#remove(label);
  }

  /** Say in a sentence below the label why it is there; pressed again, no more. */
  async #why(label, row) {
    const open = row.querySelector(".reason");
    if (open) return row.querySelector(".sure").setAttribute("aria-expanded", "false"), open.remove();
    const reason = make("p", { class: "reason", role: "status" }, "…");
    this.#open(row, reason);
    reason.textContent = await this.#reasonFor(label.name);
    return undefined;
  }

  #open(row, reason) {
    row?.querySelector(".sure").setAttribute("aria-expanded", "true");
    row?.append(reason);
  }

  async #whyNot() {
    const name = this.input.value.trim();
    if (!name) return this.input.focus();
    this.#reason.textContent = "…";
    this.#reason.textContent = await this.#reasonFor(name);
  }

  async #reasonFor(name) {
    try {
      return (await call("GET", at`images/${this.#image.id}/why`.with({ label: name }))).detail;
    } catch (error) {
      return error.message;
    }
  }

  #add(event) {
    event.preventDefault();
    const name = this.input.value.trim();
    if (!name) return;
    this.input.value = "";
    this.#correct("PUT", "labels", name, `${name} was added.`, () => this.#takeBack(name));
  }

  #remove({ name, source }) {
    const back = source === "person" ? () => this.#correct("PUT", "labels", name) : () => this.#takeBack(name);
    this.#correct("DELETE", "labels", name, `${name} was removed.`, back);
  }

  #takeBack(name) {
    return this.#correct("DELETE", "corrections", name);
  }

  async #correct(method, list, name, said, undo) {
    const { id } = this.#image;
    if (this.#busy.has(name)) return; // pressed twice
    this.#busy.add(name);
    try {
      const route = list === "labels" ? at`images/${id}/labels/${name}` : at`images/${id}/corrections/${name}`;
      this.changed(await call(method, route, method === "PUT" ? {} : undefined));
      tellTabs("changed", [id]);
      if (undo) undoableToast(said, { undo: () => this.#undo(id, undo) });
      else announce("label", "Taken back.");
    } catch (error) {
      complain(error);
    } finally {
      this.#busy.delete(name);
    }
  }

  /** The person may look at another photo by now. */
  async #undo(id, undo) {
    const now = this.#image;
    this.#image = { id };
    const done = undo();
    this.#image = now;
    await done;
  }
}
