/** Short messages at the edge of the page, some of which can be undone. */

import { button, make } from "./dom.js";

const SECONDS = 6;
const UNDO_SECONDS = 12;
const undoable = [];

/** Show a message for a while. */
export function notify(text, { bad = false } = {}) {
  return shown(make("p", { class: bad ? "toast bad" : "toast" }, text), bad ? 2 * SECONDS : SECONDS);
}

/** Show an error, unless the request was called off. */
export function complain(error) {
  if (error.name !== "AbortError") notify(error.message, { bad: true });
}

/** Show progress until it is over: `tell(text)`, then `end()`. */
export function progressToast(text) {
  const toast = make("p", { class: "toast" }, text);
  place().append(toast);
  return { tell: (more) => (toast.textContent = more), end: () => toast.remove() };
}

/** Offer to undo something; `undo` is called if the person wants that. */
export function undoableToast(text, { undo }) {
  const step = () => settled() && (end(), undo());
  const toast = make("p", { class: "toast" }, text, button("Undo", step, { class: "quiet" }));
  const end = shown(toast, UNDO_SECONDS, settled);
  undoable.push(step);
  function settled() {
    const known = undoable.includes(step);
    if (known) undoable.splice(undoable.indexOf(step), 1);
    return known;
  }
}

/** Undo what was offered last; whether there was anything. */
export function undoLast() {
  const last = undoable.at(-1);
  last?.();
  return Boolean(last);
}

/** Show a toast for some seconds, in which neither the pointer nor the focus is on it; the answer ends it. */
function shown(toast, seconds, done = () => {}) {
  let timer = 0;
  const stay = () => clearTimeout(timer);
  const run = () => {
    stay();
    if (!toast.matches(":hover, :focus-within")) timer = setTimeout(() => (toast.remove(), done()), seconds * 1000);
  };
  for (const [on, off] of [["pointerenter", "pointerleave"], ["focusin", "focusout"]]) {
    toast.addEventListener(on, stay);
    toast.addEventListener(off, () => setTimeout(run));
  }
  place().append(toast);
  run();
  return () => (stay(), toast.remove());
}

const place = () => document.querySelector("dialog[open] .toasts") ?? document.getElementById("toasts");
