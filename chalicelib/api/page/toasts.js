/** Short messages at the edge of the page, some of which can be undone. */

import { button, make } from "./dom.js";

const SECONDS = 6;
const undoable = [];

/** Say something for a while. */
export function notify(text, { bad = false } = {}) {
  return shown(make("p", { class: bad ? "toast bad" : "toast" }, text), bad ? 2 * SECONDS : SECONDS).end;
}

/** Say what went wrong, unless somebody called it off. */
export function complain(error) {
  if (error.name !== "AbortError") notify(error.message, { bad: true });
}

/**
 * Offer to undo something. `undo` is called if the person wants that; `done` when the time has passed or
 * the page goes away.
 */
export function undoableToast(text, { undo, done = () => {} }) {
  const step = { undo: () => settle(undo), done: () => settle(done) };
  const toast = make("p", { class: "toast" }, text, button("Undo", step.undo, { class: "quiet" }));
  const { end } = shown(toast, SECONDS, step.done);
  undoable.push(step);
  function settle(outcome) {
    if (!undoable.includes(step)) return;
    undoable.splice(undoable.indexOf(step), 1);
    end();
    outcome();
  }
}

/** Undo what was offered last; whether there was anything. */
export function undoLast() {
  const last = undoable.at(-1);
  last?.undo();
  return Boolean(last);
}

/** Say something to those who listen only. */
export function speak(text) {
  document.getElementById("spoken").textContent = text;
}

function shown(toast, seconds, done = () => {}) {
  (document.querySelector("dialog[open] .toasts") ?? document.getElementById("toasts")).append(toast);
  const timer = setTimeout(() => (toast.remove(), done()), seconds * 1000);
  return { end: () => (clearTimeout(timer), toast.remove()) };
}

addEventListener("pagehide", () => [...undoable].forEach((step) => step.done()));
