/** A large photo with its boxes. */

import { Boxes } from "./boxes.js";
import { make, symbol } from "./dom.js";
import { original } from "./originals.js";
import { previewOf } from "./upload-previews.js";
import { showThumbnail } from "./thumbnails.js";
import { summary, title } from "./formats.js";
import { Zoom } from "./zoom.js";

export class PhotoView {
  #shown = "";

  /** `swiped(step)` is called with 1 for the next photo and -1 for the one before. */
  constructor(swiped) {
    this.photo = make("div", { class: "photo" });
    this.boxes = new Boxes();
    this.element = make("div", { class: "stage" }, this.photo);
    this.zoom = new Zoom(this.element, this.photo, swiped);
  }

  clear() {
    this.#shown = "";
    this.photo.replaceChildren();
    this.boxes.clear();
    this.zoom.reset();
  }

  /** First what is at hand, then the photo itself; where the browser cannot show its type, the thumbnail stays. */
  show(image) {
    const shown = [image.id, image.width, image.status === "failed"].join();
    if (shown === this.#shown) return;
    this.clear();
    this.#shown = shown;
    const preview = previewOf(image.id);
    this.photo.style.setProperty("--ratio", image.width ? image.width / image.height : preview?.ratio ?? 4 / 3);
    const first = make("img", { alt: image.caption?.alt || `${title(image)}: ${summary(image)}`, decoding: "async", draggable: "false" });
    this.photo.replaceChildren(first, this.boxes.element);
    if (preview) first.src = preview.url;
    else if (image.width) this.#load(image, first);
    else this.photo.replaceChildren(symbol(image.status === "failed" ? "broken" : "wait"));
  }

  async #load(image, first) {
    showThumbnail(first, image, () => {});
    const whole = await original(image.id).catch(() => null);
    if (!whole || !first.isConnected) return;
    whole.alt = first.alt;
    first.replaceWith(whole);
  }
}
