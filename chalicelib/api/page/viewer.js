/** One image, large: the photo with boxes, and beside it all that is known. */

import { announce } from "./announcements.js";
import { at, call } from "./api.js";
import { CaptionText } from "./caption.js";
import { deliveriesOf } from "./deliveries.js";
import { button, make } from "./dom.js";
import { facts } from "./image-facts.js";
import { historyOf } from "./history.js";
import { LabelList } from "./labels.js";
import { neighboursOf } from "./neighbours.js";
import { original } from "./originals.js";
import { restore } from "./deletion.js";
import { go, leaveImage, place } from "./route.js";
import { PhotoView } from "./photo-view.js";
import { complain, notify } from "./toasts.js";
import { summary, title } from "./formats.js";
import { isFinal, isWatched, watch } from "./label-watch.js";

export class Viewer {
  #id = null;
  #image = null;
  #beside = []; // the one before and the next, where the list does not tell

  /** `library` knows the neighbours; `remove(ids)` is called when the image is to go, `closed(id)` when it is left. */
  constructor(library, { remove, closed, named }) {
    Object.assign(this, { library, removeAll: remove, closed, named });
    this.stage = new PhotoView((step) => this.#go(step));
    this.heading = make("h2", { id: "viewed", tabindex: "-1" });
    this.state = make("p", { class: "state", "aria-live": "polite" });
    this.retry = button("Try again", () => this.#fetch(this.#id));
    this.restore = button("Restore", () => this.#restore());
    this.labels = new LabelList({ boxes: this.stage.boxes, changed: (image) => this.#take(image) });
    this.caption = new CaptionText({ boxes: this.stage.boxes, changed: (image) => this.#take(image) });
    this.more = make("div");
    this.look = make("div", { class: "look" }, this.stage.element, this.#steps());
    this.element = make(
      "dialog",
      { class: "viewer", "aria-labelledby": "viewed", close: () => this.#left(), keydown: (event) => this.#key(event) },
      this.look,
      make("div", { class: "about" }, make("header", {}, this.heading, this.#tools()), this.state, this.retry, this.restore, this.labels.element, this.caption.element, this.more),
      make("div", { class: "toasts", role: "status", "aria-live": "polite" }),
      make("p", { class: "spoken unseen", "aria-live": "polite" }),
    );
    document.body.append(this.element);
    library.addEventListener("change", () => this.#follow());
  }

  /** Show an image, or none. */
  show(id) {
    if (id === this.#id) return;
    this.#id = id;
    if (!id) return this.element.close();
    if (!this.element.open) this.element.showModal();
    this.#clear();
    const known = this.library.get(id);
    if (known) this.#take(known);
    this.#fetch(id);
  }

  /** Say that the image is gone. */
  gone(ids) {
    if (ids.includes(this.#id)) this.#missing({ status: 404, message: "Somebody has deleted it." });
  }

  close() {
    this.element.close();
  }

  #clear() {
    this.#image = null;
    this.#beside = [];
    this.heading.textContent = "";
    this.#say("Loading …");
    this.#offer([]);
    this.stage.clear();
    this.labels.clear();
    this.caption.clear();
    this.more.replaceChildren();
    this.heading.focus();
  }

  async #fetch(id) {
    this.retry.hidden = true;
    try {
      const image = await call("GET", at`images/${id}`.with({ with: "thumbnail_url" }));
      if (id === this.#id) this.#take(image);
    } catch (error) {
      if (id !== this.#id) return;
      if (error.status === 404 || !this.#image) this.#missing(error);
      else complain(error);
    }
  }

  /** An image that cannot be shown has no buttons that act on it. */
  #missing(error) {
    const gone = error.status === 404;
    this.#image = null;
    this.heading.textContent = gone ? "This photo is gone" : "This photo cannot be shown";
    this.#say(error.message);
    this.#offer(gone ? [] : [this.retry]);
    this.stage.clear();
  }

  #say(text, status = "") {
    this.state.textContent = text;
    this.state.dataset.status = status;
  }

  /** Show these of the parts that act on the image, and no others. */
  #offer(parts) {
    for (const one of [this.retry, this.restore, this.tools, this.labels.element, this.caption.element, this.more]) one.hidden = !parts.includes(one);
    this.#step();
  }

  #follow() {
    const known = this.library.get(this.#id);
    if (known && this.#image && known !== this.#image) this.#take(known);
    else if (this.#image) this.#step();
  }

  /** Take over what is known of the image. */
  #take(image) {
    const before = this.#image;
    if (image.id === this.#id) this.#image = image;
    this.library.update(image);
    if (image.id !== this.#id || image === before) return;
    this.heading.textContent = title(image);
    this.#say(image.status === "labelled" ? "" : image.error?.detail ?? summary(image), image.status);
    this.#offer(image.status === "binned" ? [this.restore, this.more] : [this.tools, this.labels.element, this.caption.element, this.more]);
    this.labels.show(image);
    this.caption.show(image);
    this.stage.show(image);
    this.#keepBoxes();
    if (before?.result !== image.result || !before) this.more.replaceChildren(facts(image), historyOf(image), deliveriesOf(image));
    if (!before) this.#opened(image);
    if (!before && !this.library.ids.includes(image.id)) this.#findNeighbours(image);
    if (!isFinal(image) && !isWatched(image.id)) watch(image.id, (known) => this.library.update(known));
  }

  #opened(image) {
    this.named(title(image));
    announce("photo", `${title(image)}: ${summary(image)}`);
    const near = [this.#neighbour(1), this.#neighbour(-1)].filter((id) => this.library.get(id)?.width);
    if (image.width) original(image.id).then(() => this.#id === image.id && near.forEach((id) => original(id).catch(() => {})), () => {});
  }

  async #findNeighbours(image) {
    const found = await neighboursOf(image, place()).catch(() => []);
    if (image.id !== this.#id) return;
    this.#beside = found;
    this.#step();
  }

  #tools() {
    const tool = (name, icon, does, more = {}) => button(name, does, { icon, class: "quiet", ...more });
    this.all = tool("Show all boxes", "boxes", () => this.#allBoxes(), { "aria-pressed": "false" });
    this.full = tool("Full screen", "full", () => this.#fullScreen(), { "aria-pressed": "false", hidden: !document.fullscreenEnabled });
    document.addEventListener("fullscreenchange", () => this.full.setAttribute("aria-pressed", String(Boolean(document.fullscreenElement))));
    this.tools = make(
      "div",
      { class: "tools" },
      this.all,
      this.full,
      tool("Label again", "again", () => this.#relabel()),
      tool("Delete", "bin", () => this.#remove()),
    );
    return make("div", { class: "tools" }, this.tools, tool("Close", "close", () => this.close()));
  }

  #steps() {
    this.previous = button("Previous photo", () => this.#go(-1), { icon: "left", class: "step left" });
    this.next = button("Next photo", () => this.#go(1), { icon: "right", class: "step right" });
    return [this.previous, this.next];
  }

  #step() {
    this.previous.hidden = !this.#image || !this.#neighbour(-1);
    this.next.hidden = !this.#image || !this.#neighbour(1);
  }

  #neighbour(step) {
    const { ids } = this.library;
    const found = ids.indexOf(this.#id);
    return found < 0 ? this.#beside[step < 0 ? 0 : 1] : ids[found + step];
  }

  async #go(step) {
    const from = this.#id;
    if (!this.#neighbour(step) && step > 0) await this.library.more();
    const id = this.#neighbour(step);
    if (id && from === this.#id) go({ ...place(), image: id }, { replace: true });
  }

  #allBoxes() {
    this.all.setAttribute("aria-pressed", String(this.all.getAttribute("aria-pressed") !== "true"));
    this.#keepBoxes();
  }

  #keepBoxes() {
    this.stage.boxes.keep(this.all.getAttribute("aria-pressed") === "true" ? this.#image.labels : []);
  }

  #fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.look.requestFullscreen().catch(complain);
  }

  async #relabel() {
    try {
      this.#take(await call("POST", at`images/${this.#id}/relabel`, {}));
      notify("It is being labelled again.");
    } catch (error) {
      complain(error);
    }
  }

  async #restore() {
    const id = this.#id;
    try {
      if ((await restore([id])).length) await Promise.all([this.#fetch(id), this.library.welcome([id])]);
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
    this.#id = this.#image = null;
    this.stage.clear();
    document.getElementById("toasts").append(...this.element.querySelectorAll(".toast")); // they can still be undone
    if (place().image) leaveImage();
    this.closed(id);
  }

  #key(event) {
    if (event.defaultPrevented || !this.#image || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const does = {
      ArrowLeft: () => this.#go(-1),
      ArrowRight: () => this.#go(1),
      Delete: event.target === this.heading && (() => this.#remove()),
      "+": () => this.stage.zoom.by(1.5),
      "=": () => this.stage.zoom.by(1.5),
      "-": () => this.stage.zoom.by(1 / 1.5),
      0: () => this.stage.zoom.reset(),
      b: () => this.#allBoxes(),
      f: () => this.#fullScreen(),
      r: () => this.#relabel(),
      l: () => this.labels.input.focus(),
      c: () => this.caption.copy(),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  }
}
