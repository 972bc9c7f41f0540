/** The page put together. */

import { accessPage } from "./access.js";
import { tokensComeFrom } from "./api.js";
import { askForToken } from "./asking.js";
import { EditingBar } from "./editing.js";
import { handingIn } from "./handing.js";
import { Library } from "./library.js";
import { Photos } from "./photos.js";
import { remove } from "./removal.js";
import { go, onPlace, place } from "./route.js";
import { Search } from "./search.js";
import { Selection } from "./selection.js";
import { subscriptionsPage } from "./subscriptions.js";
import { undoLast } from "./toasts.js";
import { Tray } from "./tray.js";
import { Uploads } from "./uploads.js";
import { Viewer } from "./viewer.js";

const at = (id) => document.getElementById(id);
const main = at("main");
const library = new Library();
const selection = new Selection(library);
const uploads = new Uploads(library);
const add = handingIn(uploads);
const search = new Search(at("search"));
const photos = new Photos({ library, selection, search, add, remove: removeAll });
const viewer = new Viewer(library, { remove: removeAll, closed: (id) => (photos.refreshChips(), photos.grid.focus(id)) });
const PAGES = { subscriptions: subscriptionsPage, access: accessPage };
let shown = null;

function removeAll(ids) {
  const next = library.ids[library.ids.indexOf(ids.at(-1)) + 1];
  selection.clear();
  remove(library, ids);
  if (next && photos.element.contains(document.activeElement)) photos.grid.focus(next);
}

function show({ view, q, image }) {
  const page = view in PAGES ? view : "photos";
  if (page !== "photos" && page !== shown) main.replaceChildren(PAGES[page]());
  if (page === "photos" && page !== shown) main.replaceChildren(photos.element);
  document.title = { photos: q ? `${q} · Sightline` : "Sightline", subscriptions: "Subscriptions · Sightline", access: "Access · Sightline" }[page];
  for (const link of at("pages").children) {
    if (link.dataset.view === page) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  shown = page;
  if (page !== "photos") return;
  search.show(q);
  photos.show(q);
  viewer.show(image || null);
}

/** Keys that work wherever nothing is being typed. */
function key(event) {
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "Escape" && event.target === search.input) return photos.grid.focus(library.ids[0]);
  if (typing || document.querySelector("dialog[open]:not(.viewer)")) return undefined;
  if ((event.key === "z" && (event.ctrlKey || event.metaKey) && undoLast()) || acted(event)) event.preventDefault();
  return undefined;
}

function acted(event) {
  if (document.querySelector("dialog[open]")) return false;
  if (event.key === "a" && (event.ctrlKey || event.metaKey) && shown === "photos") return selection.all(), true;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "/") return search.input.focus(), search.input.select(), true;
  if (event.key === "u") return add(), true;
  if (event.key === "Escape" && selection.size) return selection.clear(), true;
  return false;
}

tokensComeFrom(askForToken);
new Tray(uploads, at("tray"));
new EditingBar(selection, at("picked"), { remove: removeAll, library, edited: () => photos.refreshChips() });
at("upload").addEventListener("click", add);
document.querySelector("[data-skip]").addEventListener("click", (event) => {
  event.preventDefault();
  if (library.ids.length && place().view === "photos") photos.grid.focus(library.ids[0]);
  else main.focus();
});
document.addEventListener("keydown", key);
uploads.addEventListener("change", () => place().view === "photos" || go({}));
addEventListener("beforeunload", (event) => uploads.busy && event.preventDefault()); // the browser asks
onPlace(show);
