/** Content that is loading: grey shapes at once, and a way to try again if it fails. */

import { button, make } from "./dom.js";

/** An element that shows what `load()` promises: an element, or a list of them. `again()` of it loads anew; the last call counts. */
export function loading(load, shape = "lines") {
  const made = make("div", { class: "pending" });
  const wrong = (error) => [make("p", { class: "bad", role: "alert" }, error.message), make("p", {}, button("Try again", () => (made.replaceChildren(), made.again())))];
  let calls = 0;
  made.again = async () => {
    const mine = (calls += 1);
    if (!made.children.length) made.replaceChildren(skeleton(shape));
    made.setAttribute("aria-busy", "true");
    const shown = await load().catch(wrong);
    if (mine !== calls) return;
    made.replaceChildren(...[shown].flat());
    made.removeAttribute("aria-busy");
  };
  made.again();
  return made;
}

/** A section that loads when it is unfolded for the first time. */
export function folded(heading, load) {
  const made = make("details", { class: "folded" }, make("summary", {}, heading));
  made.addEventListener("toggle", () => made.append(loading(load)), { once: true });
  return make("section", { "aria-label": heading }, made);
}

/** Grey shapes where something is to come. */
export function skeleton(shape) {
  const many = shape === "tiles" ? 18 : 3;
  return make("div", { class: `skeleton ${shape}`, "aria-hidden": "true" }, ...Array.from({ length: many }, () => make("i")));
}
