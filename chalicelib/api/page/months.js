/** Months of the date taken: their names, and a scrubber that leads to any of them. */

import { at, call } from "./api.js";
import { make } from "./dom.js";
import { many } from "./formats.js";

/** The month in which a photo was taken, by the camera's clock: "2019-05", or "" where no date is noted. */
export const monthOf = (image) => (image.taken_at ?? "").slice(0, 7);

/** What a list by date is sorted by. */
export const dateOf = (image) => `${(image.taken_at ?? "").slice(0, 19)}#${image.id}`;

/** "May 2019". */
export function monthName(month) {
  if (!month) return "No date";
  return new Date(`${month}-15T12:00:00Z`).toLocaleDateString(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
}

/** The query for what was taken until the end of a month, or has no date ("undated"), besides what is asked. */
export function until(query, month) {
  const bound = month === "undated" ? "!taken:.." : month && `taken:..${month}`;
  if (!bound || !query) return bound || query;
  return `(${query}) & ${bound}`;
}

export class Scrubber {
  #months = [];
  #shown = false;

  /** `jump(month)` is called with the month that somebody wants to see, `seen()` says which is looked at. */
  constructor(jump, seen) {
    this.seen = seen;
    this.range = make("input", { type: "range", min: "0", step: "1", "aria-label": "Jump to a month", "aria-orientation": "vertical" });
    this.output = make("span", { class: "month", "aria-hidden": "true" });
    this.element = make("div", { class: "scrubber", hidden: true }, this.range, this.output);
    this.range.addEventListener("input", () => this.#say());
    this.range.addEventListener("change", () => jump(this.#months[this.range.value].month));
  }

  /** Be there for a list by date, with the months of the library. */
  async show(yes) {
    this.#shown = yes;
    this.element.hidden ||= !yes;
    if (!yes) return;
    const { months, undated } = await call("GET", at`months`).catch(() => ({ months: [], undated: 0 }));
    this.#months = undated ? [...months, { month: "", count: undated }] : months;
    this.range.max = Math.max(0, this.#months.length - 1);
    this.element.hidden = !this.#shown || this.#months.length < 2;
    this.range.value = 0;
    this.follow();
  }

  /** Stand at the month that is looked at, unless somebody is about to choose another. */
  follow() {
    if (document.activeElement === this.range) return;
    const seen = this.seen();
    const place = this.#months.findIndex(({ month }) => month === seen);
    if (place >= 0) this.range.value = place;
    this.#say();
  }

  #say() {
    const { month, count } = this.#months[this.range.value] ?? {};
    if (count === undefined) return;
    this.output.textContent = monthName(month);
    this.range.setAttribute("aria-valuetext", `${monthName(month)}: ${many(count, "photo")}`);
    this.output.style.top = `${(100 * this.range.value) / Math.max(1, this.range.max)}%`;
  }
}
