/** The page put together. */

import { accessPage } from "./access.js";
import { tokensComeFrom } from "./api.js";
import { askForToken } from "./dialogs.js";
import { binPage } from "./bin.js";
import { labelsPage } from "./catalogue.js";
import { BulkEditBar } from "./bulk-edit.js";
import { keepFocus } from "./focus.js";
import { openUploadInputs } from "./upload-inputs.js";
import { jobsPage } from "./jobs.js";
import { showKeys } from "./key-list.js";
import { Library } from "./library.js";
import { forgetOriginals } from "./originals.js";
import { deliveriesPage } from "./all-deliveries.js";
import { Photos } from "./photos.js";
import { forgetPreviews } from "./upload-previews.js";
import { remove } from "./deletion.js";
import { onPlace, place } from "./route.js";
import { Search } from "./search.js";
import { Selection } from "./selection.js";
import { subscriptionsPage } from "./subscriptions.js";
import { onTabs } from "./tabs.js";
import { undoLast } from "./toasts.js";
import { UploadTray } from "./upload-tray.js";
import { UploadQueue } from "./upload-queue.js";
import { watchNothing } from "./label-watch.js";
import { usagePage } from "./usage.js";
import { Viewer } from "./viewer.js";

const at = (id) => document.getElementById(id);
const FEW = 8; // images that are read again one by one
const main = at("main");
const library = new Library();
const selection = new Selection(library);
const uploads = new UploadQueue(library);
const choose = openUploadInputs(uploads);
const add = () => choose();
const search = new Search(at("search"), toFirst);
const photos = new Photos({ library, selection, search, add, remove: removeAll });
const viewer = new Viewer(library, { remove: removeAll, closed, named: (name) => (document.title = `${name} · Sightline`) });
const PAGES = {
  labels: labelsPage,
  jobs: jobsPage,
  subscriptions: subscriptionsPage,
  deliveries: deliveriesPage,
  usage: usagePage,
  bin: () => binPage({ restored: (ids) => library.welcome(ids).catch(() => {}) }),
  access: () => accessPage({ forgotten: forget }),
};
let shown = null;

function removeAll(ids) {
  const next = library.ids.slice(library.ids.indexOf(ids.at(-1))).find((id) => !ids.includes(id)) ?? library.ids.findLast((id) => !ids.includes(id));
  const inGrid = photos.element.contains(document.activeElement);
  selection.clear();
  remove(library, ids);
  if (inGrid) toTile(next);
}

function closed(id) {
  photos.refreshChips();
  name(place());
  if (shown === "photos") photos.grid.focus(id);
}

function toTile(id) {
  if (id && shown === "photos") photos.grid.focus(id);
  else main.focus();
}

function toFirst() {
  toTile(library.ids[0]);
}

function name({ view, q }) {
  const names = Object.hasOwn(PAGES, view) ? main.querySelector("h1").textContent : q;
  document.title = [names, "Sightline"].filter(Boolean).join(" · ");
}

function show(wanted, scroll) {
  const { view, image, broken } = wanted;
  const page = Object.hasOwn(PAGES, view) ? view : "photos";
  if (page !== shown) main.replaceChildren(page === "photos" ? photos.element : PAGES[page]());
  if (page !== shown && page !== "photos") scrollTo(0, scroll);
  for (const link of at("pages").children) {
    if (link.dataset.view !== page) link.removeAttribute("aria-current");
    else if (!link.hasAttribute("aria-current")) {
      link.setAttribute("aria-current", "page");
      at("pages").scrollLeft = link.offsetLeft - at("pages").offsetLeft - link.offsetWidth; // on a phone they do not all fit
    }
  }
  bar.there(page === "photos");
  if (page === shown && page !== "photos") return;
  shown = page;
  name({ ...wanted, view: page });
  if (page !== "photos") return viewer.show(null);
  search.show(wanted.q);
  photos.show(wanted, scroll);
  viewer.show(broken ? "?" : image || null);
}

/** Whoever comes next sees nothing of what was shown with a token. */
function forget() {
  watchNothing();
  photos.forget();
  forgetOriginals();
  forgetPreviews();
  uploads.forget();
  at("toasts").replaceChildren();
}

function heard({ kind, ids }) {
  if (kind === "gone") {
    ids.forEach((id) => library.hide(id));
    return viewer.gone(ids);
  }
  if (kind === "came") return library.welcome(ids).catch(() => {});
  const known = ids.filter((id) => library.get(id));
  if (known.length > FEW) return library.refresh().catch(() => {});
  return library.reread(known).catch(() => {});
}

/** Keys that work wherever nothing is being typed. */
function key(event) {
  if (event.defaultPrevented || event.target.matches("input, textarea, select")) return;
  if (document.querySelector("dialog[open]:not(.viewer)")) return;
  if ((event.key === "z" && (event.ctrlKey || event.metaKey) && undoLast()) || acted(event)) event.preventDefault();
}

function acted(event) {
  if (event.key === "?") return showKeys(), true;
  if (document.querySelector("dialog[open]")) return false;
  if (event.key === "a" && (event.ctrlKey || event.metaKey) && shown === "photos") return selection.all(), true;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === "/") return search.input.focus(), search.input.select(), true;
  if (event.key === "u") return add(), true;
  if (event.key === "Escape" && selection.picking) return selection.clear(), true;
  return false;
}

keepFocus();
tokensComeFrom(askForToken);
new UploadTray(uploads, at("tray"), choose);
const bar = new BulkEditBar(selection, at("picked"), { remove: removeAll, results: photos.results, library, edited: () => photos.refreshChips() });
at("upload").addEventListener("click", add);
document.querySelector("[data-skip]").addEventListener("click", (event) => (event.preventDefault(), toFirst()));
document.addEventListener("keydown", key);
addEventListener("beforeunload", (event) => uploads.busy && event.preventDefault()); // the browser asks
onTabs(heard);
onPlace(show);
