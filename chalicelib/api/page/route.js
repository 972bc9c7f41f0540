/** The address: it holds the page, the search and the open image. */

import { isId } from "./api.js";

const DEFAULTS = { view: "photos", q: "", image: "", sort: "", until: "" };
const FORMS = { sort: /^(taken)?$/, until: /^(\d{4}-\d\d|undated)?$/ };
const BACK = 1000; // milliseconds that a step back may take
const listeners = [];
const waiting = []; // for a step back that is under way
let leaving = 0;
let timer = 0;

history.scrollRestoration = "manual"; // what was scrolled to is there again only after it was fetched

/** The place that the address names; of what is not as it must be, nothing is taken. */
export function place() {
  const parameters = new URLSearchParams(location.search);
  const told = Object.fromEntries(Object.entries(DEFAULTS).map(([key, none]) => [key, parameters.get(key) || none]));
  for (const [key, form] of Object.entries(FORMS)) if (!form.test(told[key])) told[key] = "";
  return { ...told, broken: Boolean(told.image) && !isId(told.image) };
}

/** The address of a place; what is not named is as it is by default, and sorted as it is now. */
export function address(wanted) {
  const usual = { ...DEFAULTS, sort: place().sort };
  const told = Object.entries(usual).map(([key, none]) => [key, wanted[key] ?? none]).filter(([key, value]) => value !== DEFAULTS[key]);
  const query = new URLSearchParams(told).toString();
  return query ? `./?${query}` : "./";
}

/** Go to a place; `replace` leaves no step to go back to. */
export function go(wanted, { replace = false } = {}) {
  if (leaving) return void waiting.push(() => go(wanted, { replace })); // or the step would lead away from there
  const url = new URL(address(wanted), document.baseURI);
  if (url.href !== location.href && replace) history.replaceState(history.state, "", url);
  else if (url.href !== location.href) {
    keepScroll();
    history.pushState({ inside: true }, "", url);
  }
  tell();
}

/** Leave the open image for what is behind it, which adds no step: back to where it was opened, if that was here. */
export function leaveImage() {
  if (leaving) return;
  if (!history.state?.inside) return go({ ...place(), image: "" }, { replace: true });
  leaving = setTimeout(arrived, BACK);
  history.back();
}

/** Be told of every change of place, and of the place now; `scroll` is how far one had scrolled there. */
export function onPlace(listener) {
  listeners.push(listener);
  listener(place(), history.state?.scroll ?? 0);
}

/** Links of this page change the place without loading it again, unless a new tab is wanted. */
function follow(event) {
  const link = event.target.closest?.("a[data-go]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(Object.fromEntries(new URL(link.href).searchParams));
}

function tell() {
  for (const listener of listeners) listener(place(), history.state?.scroll ?? 0);
}

/** The browser has gone back or forth; it does so some time after it was told to. */
function arrived() {
  clearTimeout(timer);
  clearTimeout(leaving);
  leaving = 0;
  tell();
  waiting.splice(0).forEach((act) => act());
}

function keepScroll() {
  clearTimeout(timer);
  history.replaceState({ ...history.state, scroll: Math.round(scrollY) }, "");
}

addEventListener("scroll", () => (clearTimeout(timer), (timer = setTimeout(keepScroll, 150))), { passive: true });
addEventListener("pagehide", keepScroll);
addEventListener("popstate", arrived);
document.addEventListener("click", follow);
