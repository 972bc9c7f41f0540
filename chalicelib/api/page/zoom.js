/** Zoom by wheel, pinch, double click and keys. An enlarged photo is dragged; a whole one is swiped to the next. */

const MOST = 8;
const DOUBLE = 2.5;
const SWIPE = 60; // pixels

export class Zoom {
  #scale = 1;
  #left = 0;
  #top = 0;
  #fingers = new Map();
  #from = null;

  /** `photo` stands in the middle of `stage`; `swiped(step)` is called with 1 for the next and -1. */
  constructor(stage, photo, swiped) {
    Object.assign(this, { stage, photo, swiped });
    stage.addEventListener("wheel", (event) => (event.preventDefault(), this.#by(2 ** (-event.deltaY / 300), event)), { passive: false });
    stage.addEventListener("dblclick", (event) => (this.#scale > 1 ? this.reset() : this.#by(DOUBLE, event)));
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => this.#up(event));
  }

  /** How much larger it is shown than whole. */
  get scale() {
    return this.#scale;
  }

  /** Larger or smaller, around the middle. */
  by(factor) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    this.#by(factor, { clientX: left + width / 2, clientY: top + height / 2 });
  }

  /** Whole again. */
  reset() {
    [this.#scale, this.#left, this.#top] = [1, 0, 0];
    this.#show();
  }

  #by(factor, { clientX, clientY }) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    const [x, y] = [clientX - left - width / 2, clientY - top - height / 2];
    const scale = Math.min(MOST, Math.max(1, this.#scale * factor));
    this.#left = x - ((x - this.#left) * scale) / this.#scale;
    this.#top = y - ((y - this.#top) * scale) / this.#scale;
    this.#scale = scale;
    this.#show();
  }

  /** The edges stay at the edges, or outside. */
  #show() {
    const most = (size) => ((this.#scale - 1) * size) / 2;
    const within = (value, size) => Math.min(most(size), Math.max(-most(size), value));
    this.#left = within(this.#left, this.photo.offsetWidth);
    this.#top = within(this.#top, this.photo.offsetHeight);
    this.photo.style.transform = this.#scale === 1 ? "" : `translate(${this.#left}px, ${this.#top}px) scale(${this.#scale})`;
    this.photo.style.setProperty("--zoom", this.#scale);
    this.stage.classList.toggle("zoomed", this.#scale > 1);
  }

  #down(event) {
    if (event.button) return;
    this.stage.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, event);
    this.#from = this.#fingers.size === 1 ? event : null; // two fingers swipe nothing
  }

  #move(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const other = [...this.#fingers.values()].find((one) => one.pointerId !== event.pointerId);
    this.#fingers.set(event.pointerId, event);
    if (other) this.#by(distance(event, other) / Math.max(1, distance(before, other)), middle(event, other));
    if (this.#scale === 1) return;
    const share = other ? 2 : 1;
    this.#left += (event.clientX - before.clientX) / share;
    this.#top += (event.clientY - before.clientY) / share;
    this.#show();
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    const from = this.#from;
    this.#from = null;
    if (!from || event.type === "pointercancel" || event.pointerType === "mouse" || this.#scale > 1) return;
    const [along, across] = [event.clientX - from.clientX, event.clientY - from.clientY];
    if (Math.abs(along) > SWIPE && Math.abs(along) > 2 * Math.abs(across)) this.swiped(along < 0 ? 1 : -1);
  }
}

const distance = (one, other) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
const middle = (one, other) => ({ clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 });
