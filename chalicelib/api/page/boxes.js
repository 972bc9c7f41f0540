/** Boxes on the photo, where the instances of a label are. */

import { draw, make } from "./dom.js";

export class Boxes {
  #kept = [];
  #marks = make("div", { class: "marks" });
  #drawing = draw("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });

  constructor() {
    this.element = make("div", { class: "boxes", "aria-hidden": "true" }, this.#drawing, this.#marks);
  }

  /** Show where a label is; without one, or for a label without boxes, show the kept ones. */
  show(label) {
    this.#draw(label?.instances.length ? [label] : this.#kept);
  }

  /** Keep these labels shown while no other is. */
  keep(labels) {
    this.#kept = labels;
    this.#draw(labels);
  }

  clear() {
    this.keep([]);
  }

  /** Labels that differ in nothing but their breadth share their boxes: one name for each box is enough. */
  #draw(labels) {
    const instances = labels.flatMap((label) => label.instances.map((one) => ({ ...one, name: label.name })));
    const places = new Map(instances.map((one) => [Object.values(one.box).join(), one]).reverse());
    this.#drawing.replaceChildren(...[...places.values()].map(rectangle));
    this.#marks.replaceChildren(...[...places.values()].map(mark));
  }
}

function rectangle({ box }) {
  return draw("rect", { x: box.left, y: box.top, width: box.width, height: box.height });
}

function mark({ box, name, confidence }) {
  const made = make("span", {}, `${name} ${Math.round(confidence)}%`);
  Object.assign(made.style, { left: `${box.left * 100}%`, top: `${box.top * 100}%` });
  return made;
}
