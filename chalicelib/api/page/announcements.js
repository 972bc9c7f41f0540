/** What screen readers hear: the latest news of each thing, together and at most every few seconds. */

const PAUSE = 2500; // milliseconds
const SOON = 150; // what belongs together comes within it

const waiting = new Map();
let said = 0;
let timer = 0;

/** Say what is new `about` something; it replaces what was not said yet about it. */
export function announce(about, text) {
  waiting.delete(about);
  waiting.set(about, text);
  timer ||= setTimeout(speak, Math.max(SOON, said + PAUSE - Date.now()));
}

/** Screen readers read nothing behind an open dialog. */
function speak() {
  const region = document.querySelector("dialog[open] .spoken") ?? document.getElementById("spoken");
  region.textContent = [...waiting.values()].join(" ");
  waiting.clear();
  timer = 0;
  said = Date.now();
}
