/** Where the focus goes when its element goes away: to the next one, or back to where it came from. */

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";
const REMEMBERED = 12; // elements that had it before

let last = null;
let around = []; // the focusable elements of the document when `last` got the focus
let above = []; // what `last` stood in, from the inside out
let before = [];
let looking = false;

/** Keep the focus from now on. */
export function keepFocus() {
  document.addEventListener("focusin", ({ target }) => remember(target));
  document.addEventListener("focusout", ({ target, relatedTarget }) => relatedTarget || queueMicrotask(() => letGo(target)));
  new MutationObserver(soon).observe(document.body, { childList: true, subtree: true, attributeFilter: ["hidden", "disabled", "open"] });
}

/** Whether an element can have the focus now. */
export const canHaveIt = (one) => one.isConnected && !one.disabled && one.checkVisibility() && !one.closest("[inert]");

function remember(target) {
  if (last && last !== target) before = [last, ...before.filter((one) => one !== last)].slice(0, REMEMBERED);
  last = target;
  around = [...document.querySelectorAll(FOCUSABLE)];
  above = [];
  for (let one = target.parentElement; one && one !== document.body; one = one.parentElement) above.push(one);
}

/** A click between things may leave the focus nowhere. */
function letGo(target) {
  if (target === last && document.hasFocus() && document.activeElement === document.body && canHaveIt(target)) last = null;
}

function soon() {
  if (!last || looking) return;
  looking = true;
  requestAnimationFrame(() => ((looking = false), look()));
}

function look() {
  if (!last || canHaveIt(last)) return;
  const { activeElement } = document;
  if (activeElement !== document.body && activeElement !== last && canHaveIt(activeElement)) return;
  heir()?.focus();
}

function heir() {
  const place = around.indexOf(last);
  const nearest = [...around.slice(place + 1), ...around.slice(0, Math.max(0, place)).reverse()];
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  const fits = (one) => one !== last && canHaveIt(one) && (!open || open.contains(one));
  for (const box of above) {
    if (box === open || box.matches("main, .toasts")) break;
    const inside = nearest.find((one) => box.contains(one) && fits(one));
    if (inside) return inside;
  }
  return before.find(fits) ?? open?.querySelector("h2[tabindex]") ?? open?.querySelector(FOCUSABLE) ?? document.getElementById("main");
}
