/** The labels of one image: how sure they are, what they belong to, and a person's word on them. */

import { call } from "./api.js";
import { button, make, symbol } from "./dom.js";
import { suggestions } from "./suggestions.js";
import { address } from "./route.js";
import { complain, speak, undoableToast } from "./toasts.js";
import { quoted, specific } from "./words.js";

export class LabelList {
  #image = null;
  #list = make("ul", { class: "labels" });
  #none = make("p", { class: "muted", hidden: true });

  /** `changed(image)` is told of corrections, `follow()` when a label is searched for. */
  constructor({ boxes, changed, follow }) {
    Object.assign(this, { boxes, changed, follow });
    const list = suggestions("label-names");
    this.input = make("input", { id: "new-label", list: list.id, maxlength: "128", placeholder: "Add a label", "aria-label": "Add a label" });
    this.input.addEventListener("input", () => list.suggest(this.input.value));
    const form = make("form", { class: "row", submit: (event) => this.#add(event) }, this.input, make("button", {}, "Add"), list);
    this.element = make("section", { "aria-label": "Labels" }, make("h3", {}, "Labels"), this.#none, this.#list, form);
  }

  clear() {
    this.#image = null;
    this.#list.replaceChildren();
    this.#none.hidden = true;
  }

  /** Show an image's labels; the focus stays where it is. */
  show(image) {
    const focused = this.#list.contains(document.activeElement) && document.activeElement.dataset.label;
    this.#image = image;
    const leading = specific(image.labels);
    const broad = image.labels.filter((label) => !leading.includes(label)).sort((a, b) => b.confidence - a.confidence);
    this.#list.replaceChildren(...leading.map((one) => this.#row(one)), ...broad.map((one) => this.#row(one, "broad")));
    this.#none.hidden = image.status !== "labelled" || image.labels.length > 0;
    this.#none.textContent = "Nothing was recognised. Add what you see.";
    if (focused) this.#list.querySelector(`[data-label="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(label, kind = "") {
    const where = label.instances.length ? `, ${label.instances.length} marked in the photo` : "";
    const name = make("a", { href: address({ q: quoted(label.name) }), "data-go": true, "data-label": label.name, click: () => this.follow(), title: `Find ${label.name}${where}` }, label.name);
    const sure = `${Math.round(label.confidence)}%`;
    const bar = make("meter", { min: "0", max: "100", value: label.confidence, "aria-label": `${label.name}, confidence` });
    const remove = button(`Remove ${label.name}`, () => this.#remove(label), { icon: "close", class: "quiet" });
    const marked = label.instances.length ? symbol("boxes") : null;
    const by = label.source === "person" ? make("span", { class: "by" }, "by a person") : null;
    const parents = label.parents.length ? make("span", { class: "parents" }, label.parents.join(" · ")) : null;
    return make(
      "li",
      {
        class: `label ${kind}`,
        mouseenter: () => this.boxes.show(label),
        mouseleave: () => this.boxes.show(null),
        focusin: () => this.boxes.show(label),
        focusout: () => this.boxes.show(null),
        keydown: (event) => this.#key(event, label),
      },
      make("span", { class: "name" }, name, marked, by),
      make("span", { class: "sure" }, sure),
      remove,
      bar,
      parents,
    );
  }

  #key(event, label) {
    if (!["Delete", "Backspace"].includes(event.key)) return;
    event.preventDefault(); // the photo itself is not meant
    this.#remove(label);
  }

  #add(event) {
    event.preventDefault();
    const name = this.input.value.trim();
    if (!name) return;
    this.input.value = "";
    this.#correct("PUT", `labels/${encodeURIComponent(name)}`, `${name} was added.`, () => this.#takeBack(name));
  }

  #remove(label) {
    const path = `labels/${encodeURIComponent(label.name)}`;
    const back = label.source === "person" ? () => this.#correct("PUT", path) : () => this.#takeBack(label.name);
    this.#correct("DELETE", path, `${label.name} was removed.`, back);
  }

  #takeBack(name) {
    return this.#correct("DELETE", `corrections/${encodeURIComponent(name)}`);
  }

  async #correct(method, path, said, undo) {
    const { id } = this.#image;
    try {
      const image = await call(method, `images/${id}/${path}`, method === "PUT" ? {} : undefined);
      this.changed(image);
      if (undo) undoableToast(said, { undo: () => this.#undo(id, undo) });
      else speak("Taken back.");
    } catch (error) {
      complain(error);
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
