/** Where the reader is: the address holds the page, the search and the open image. */

const DEFAULTS = { view: "photos", q: "", image: "" };
const listeners = [];

/** The place that the address names: `view`, `q` and `image`. */
export function place() {
  const parameters = new URLSearchParams(location.search);
  return Object.fromEntries(Object.entries(DEFAULTS).map(([key, none]) => [key, parameters.get(key) || none]));
}

/** The address of a place; what is not named is as it is by default. */
export function address(wanted) {
  const told = Object.entries({ ...DEFAULTS, ...wanted }).filter(([key, value]) => value !== DEFAULTS[key]);
  const query = new URLSearchParams(told).toString();
  return query ? `./?${query}` : "./";
}

/** Go to a place; `replace` leaves no step to go back to. */
export function go(wanted, { replace = false } = {}) {
  const url = new URL(address(wanted), document.baseURI);
  if (url.href !== location.href) history[replace ? "replaceState" : "pushState"](null, "", url);
  tell();
}

/** Be told of every change of place, and of the place now. */
export function onPlace(listener) {
  listeners.push(listener);
  listener(place());
}

/** Links of this page change the place without loading it again, unless a new tab is wanted. */
function follow(event) {
  const link = event.target.closest?.("a[data-go]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(Object.fromEntries(new URL(link.href).searchParams));
}

function tell() {
  for (const listener of listeners) listener(place());
}

addEventListener("popstate", tell);
document.addEventListener("click", follow);
