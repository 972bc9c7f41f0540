/** One image, large: the photo with boxes, and beside it all that is known. */

import { call, picture } from "./api.js";
import { Boxes } from "./boxes.js";
import { deliveriesOf } from "./deliveries.js";
import { button, make, symbol } from "./dom.js";
import { facts } from "./facts.js";
import { LabelList } from "./labels.js";
import { previewOf } from "./previews.js";
import { go, place } from "./route.js";
import { showThumbnail } from "./thumbnails.js";
import { complain, notify } from "./toasts.js";
import { summary, title } from "./words.js";
import { isFinal, isWatched, watch } from "./watch.js";

export class Viewer {
  #id = null;
  #image = null;

  /** `library` knows the neighbours; `remove(ids)` is called when the image is to go. */
  constructor(library, { remove, closed }) {
    Object.assign(this, { library, removeAll: remove, closed });
    this.photo = make("div", { class: "photo" });
    this.boxes = new Boxes();
    this.stage = make("div", { class: "stage" }, this.photo);
    this.heading = make("h2", { id: "viewed", tabindex: "-1" });
    this.state = make("p", { class: "state", "aria-live": "polite" });
    this.labels = new LabelList({ boxes: this.boxes, changed: (image) => this.#take(image), follow: () => this.close() });
    this.more = make("div");
    this.element = make(
      "dialog",
      { class: "viewer", "aria-labelledby": "viewed", close: () => this.#left() },
      make("div", { class: "look" }, this.stage, this.#steps()),
      make("div", { class: "about" }, make("header", {}, this.heading, this.#tools()), this.state, this.labels.element, this.more),
      make("div", { class: "toasts", role: "status", "aria-live": "polite" }),
    );
    document.body.append(this.element);
    library.addEventListener("change", () => this.#follow());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Show an image, or none. */
  async show(id) {
    if (id === this.#id) return;
    this.#id = id;
    if (!id) return this.element.close();
    if (!this.element.open) this.element.showModal();
    this.#image = null;
    const known = this.library.get(id);
    this.#clear();
    if (known) this.#take(known);
    try {
      const image = await call("GET", `images/${id}?with=thumbnail_url`);
      if (id === this.#id) this.#take(image);
    } catch (error) {
      if (id === this.#id) this.#missing(error);
    }
  }

  close() {
    this.element.close();
  }

  #clear() {
    this.heading.textContent = "";
    this.state.textContent = "Loading …";
    this.photo.replaceChildren();
    this.labels.clear();
    this.more.replaceChildren();
    this.heading.focus();
  }

  #missing(error) {
    this.heading.textContent = error.status === 404 ? "This photo is gone" : "This photo cannot be shown";
    this.state.textContent = error.message;
  }

  #follow() {
    const known = this.library.get(this.#id);
    if (known && known !== this.#image) this.#take(known);
  }

  /** Take over what is known of the image. */
  #take(image) {
    const before = this.#image;
    if (image.id === this.#id) this.#image = image;
    this.library.update(image);
    if (image.id !== this.#id || image === before) return;
    this.heading.textContent = title(image);
    this.state.textContent = image.status === "labelled" ? "" : image.error?.detail ?? summary(image);
    this.state.dataset.status = image.status;
    this.labels.show(image);
    this.#step();
    if (before?.width !== image.width || !before) this.#picture(image);
    if (before?.result !== image.result || !before) this.more.replaceChildren(facts(image), deliveriesOf(image));
    if (!isFinal(image) && !isWatched(image.id)) watch(image.id, (known) => this.library.update(known));
  }

  /** First what is at hand, then the photo itself; where the browser cannot show its type, the thumbnail stays. */
  #picture(image) {
    const ratio = image.width ? image.width / image.height : previewOf(image.id)?.ratio ?? 4 / 3;
    this.photo.style.setProperty("--ratio", ratio);
    const shown = make("img", { alt: summary(image), decoding: "async" });
    this.photo.replaceChildren(shown, this.boxes.element);
    this.boxes.clear();
    const preview = previewOf(image.id)?.url;
    if (preview) shown.src = preview;
    else if (image.width) this.#load(image, shown);
    else this.photo.replaceChildren(symbol(image.status === "failed" ? "broken" : "wait"));
  }

  async #load(image, shown) {
    showThumbnail(shown, image, () => {});
    const whole = new Image();
    whole.src = await picture(`images/${image.id}/content`).catch(() => "");
    await whole.decode().then(() => (shown.src = whole.src), () => {});
  }

  #tools() {
    this.again = button("Label again", () => this.#relabel(), { icon: "again", class: "quiet" });
    this.all = button("Show all boxes", () => this.#allBoxes(), { icon: "boxes", class: "quiet", "aria-pressed": "false" });
    return make(
      "div",
      { class: "tools" },
      this.all,
      this.again,
      button("Delete", () => this.#remove(), { icon: "bin", class: "quiet" }),
      button("Close", () => this.close(), { icon: "close", class: "quiet" }),
    );
  }

  #steps() {
    this.previous = button("Previous photo", () => this.#go(-1), { icon: "left", class: "step left" });
    this.next = button("Next photo", () => this.#go(1), { icon: "right", class: "step right" });
    return [this.previous, this.next];
  }

  #step() {
    this.previous.hidden = !this.#neighbour(-1);
    this.next.hidden = !this.#neighbour(1);
  }

  #neighbour(step) {
    const at = this.library.ids.indexOf(this.#id);
    return at < 0 ? undefined : this.library.ids[at + step];
  }

  async #go(step) {
    if (!this.#neighbour(step) && step > 0) await this.library.more();
    const id = this.#neighbour(step);
    if (id) go({ ...place(), image: id }, { replace: true });
  }

  #allBoxes() {
    const all = this.all.getAttribute("aria-pressed") !== "true";
    this.all.setAttribute("aria-pressed", String(all));
    this.boxes.keep(all ? this.#image?.labels ?? [] : []);
  }

  async #relabel() {
    try {
      this.#take(await call("POST", `images/${this.#id}/relabel`, {}));
      notify("It is being labelled again.");
    } catch (error) {
      complain(error);
    }
  }

  #remove() {
    const id = this.#id;
    const next = this.#neighbour(1) ?? this.#neighbour(-1);
    this.removeAll([id]);
    if (next) go({ ...place(), image: next }, { replace: true });
    else this.close();
  }

  #left() {
    const id = this.#id;
    this.#id = null;
    document.getElementById("toasts").append(...this.element.querySelectorAll(".toast")); // they can still be undone
    if (place().image) go({ ...place(), image: "" });
    this.closed(id);
  }

  #key(event) {
    const elsewhere = !this.element.open || document.querySelector("dialog[open]:not(.viewer)");
    if (elsewhere || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const does = {
      ArrowLeft: () => this.#go(-1),
      ArrowRight: () => this.#go(1),
      Delete: () => this.#remove(),
      b: () => this.#allBoxes(),
      r: () => this.#relabel(),
      l: () => this.labels.input.focus(),
    }[event.key];
    if (!does || event.defaultPrevented) return;
    event.preventDefault();
    does();
  }
}
