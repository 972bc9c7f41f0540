/** One photo in the grid: its thumbnail, what is seen on it, and a box to pick it. */

import { button, make, symbol } from "./dom.js";
import { previewOf } from "./upload-previews.js";
import { address, place } from "./route.js";
import { showThumbnail } from "./thumbnails.js";
import { isFinal } from "./label-watch.js";
import { STATES, summary, title } from "./formats.js";

/** The shape of an image, width to height, as far as it is known. */
export function ratioOf(image) {
  if (image.width && image.height) return image.width / image.height;
  return previewOf(image.id)?.ratio ?? 4 / 3;
}

const REST = 80; // milliseconds in the document before a picture is fetched: whoever scrolls past wants none

export class Tile {
  #load = null;
  #timer = 0;
  #shown = "";
  #source = "";

  /** `pick(event)` is called when its box is pressed. */
  constructor(image, { pick }) {
    const href = address({ ...place(), view: "photos", image: image.id });
    this.photo = make("span", { class: "photo" });
    this.link = make("a", { class: "open", href, "data-go": true, tabindex: "-1" }, this.photo);
    this.box = button("", pick, { class: "pick", "aria-pressed": "false", tabindex: "-1" });
    this.box.append(symbol("tick"));
    this.caption = make("p", { class: "caption" });
    this.element = make("li", { class: "tile", "data-id": image.id }, this.link, this.caption, this.box);
    this.update(image);
  }

  /** Show what is known now; what has not changed stays as it is. */
  update(image) {
    const shown = [image.status, image.result, image.width, summary(image)].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.dataset.status = image.status;
    this.link.setAttribute("aria-label", `${title(image)}: ${image.error?.detail ?? summary(image)}`);
    this.box.setAttribute("aria-label", `Select ${title(image)}`);
    const said = isFinal(image) ? make("b", {}, summary(image)) : ""; // what it waits for is on the photo
    this.caption.replaceChildren(said, make("span", {}, title(image)));
    this.#show(image);
  }

  /** Put it in its place, in pixels. */
  move({ left, width }, { top, photo }) {
    Object.assign(this.element.style, { translate: `${left}px ${top}px`, width: `${width}px` });
    this.photo.style.height = `${photo}px`;
  }

  /** Fetch the picture, if the tile stays in the document for a moment. */
  settle() {
    if (!this.#load || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      if (this.element.isConnected) this.load();
    }, REST);
  }

  /** Fetch the picture now. */
  load() {
    this.#load?.(this.element.getBoundingClientRect().top < innerHeight);
    this.#load = null;
  }

  picked(yes) {
    this.box.setAttribute("aria-pressed", String(yes));
    this.element.classList.toggle("picked", yes);
  }

  #show(image) {
    const preview = previewOf(image.id)?.url;
    const source = preview ?? (image.width ? [image.width, image.height, image.size].join() : ""); // links change
    const why = image.error?.detail;
    const badge = image.status === "labelled" ? null : make("span", { class: why ? "why" : "badge" }, why ?? STATES[image.status]);
    if (!source) this.photo.replaceChildren(symbol(why ? "broken" : "wait"), badge ?? "");
    else if (source === this.#source) this.photo.replaceChildren(this.photo.firstChild, badge ?? "");
    else this.photo.replaceChildren(this.#image(image, preview), badge ?? "");
    this.#source = source;
  }

  #image(image, preview) {
    const shown = make("img", { alt: "", decoding: "async", draggable: "false" });
    shown.addEventListener("load", () => shown.classList.add("there"), { once: true });
    const broken = () => shown.replaceWith(symbol("broken"));
    if (preview) shown.src = preview;
    else this.#load = (seen) => ((shown.fetchPriority = seen ? "high" : "low"), showThumbnail(shown, image, broken));
    return shown;
  }
}
