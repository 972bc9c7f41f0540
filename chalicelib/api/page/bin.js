/** The page of the bin: what was deleted, how long it stays there, and how to restore or erase it. */

import { announce } from "./announcements.js";
import { at, call } from "./api.js";
import { confirmed } from "./dialogs.js";
import { button, make, symbol } from "./dom.js";
import { followJob } from "./jobs.js";
import { loading } from "./loading.js";
import { restore, untilListed } from "./deletion.js";
import { ALL } from "./selection.js";
import { showThumbnail } from "./thumbnails.js";
import { complain, notify } from "./toasts.js";
import { many, title } from "./formats.js";

const PAGE = 60;
const A_DAY = 86_400_000;

/** The page; `restored(ids)` is told what came out, of all if it is not known of which. */
export function binPage({ restored }) {
  const ways = make("p", { class: "row", hidden: true });
  const list = loading(async () => {
    const shown = await binned(restored);
    ways.hidden = !Array.isArray(shown); // there is nothing to restore or to erase
    return shown;
  }, "tiles");
  if (untilListed()) setTimeout(() => list.again(), untilListed());
  const act = (does) => does().then(() => list.again(), complain);
  ways.append(button("Restore all", () => act(() => restoreAll(restored))), button("Empty the bin", () => act(emptied), { class: "danger" }));
  return make(
    "div",
    { class: "page wide" },
    make("h1", {}, "Bin"),
    make("p", { class: "muted" }, "Deleted photos are here until their days are over. What is restored comes back with its labels and corrections."),
    ways,
    list,
  );
}

async function binned(restored) {
  const list = make("ul", { class: "bin", "aria-label": "Deleted photos" });
  const more = make("p");
  async function next(cursor) {
    const page = await call("GET", at`images`.with({ status: "binned", with: "thumbnail_url", limit: PAGE, cursor }));
    list.append(...page.images.map((image) => row(image, restored)));
    more.replaceChildren(page.next_cursor ? button("Show more", () => next(page.next_cursor).catch(complain)) : "");
  }
  await next(null);
  return list.children.length ? [list, more] : make("p", { class: "muted" }, "The bin is empty.");
}

function row(image, restored) {
  const name = title(image);
  const photo = make("span", { class: "photo" });
  if (image.width) {
    const shown = make("img", { alt: "", decoding: "async", loading: "lazy" });
    shown.addEventListener("load", () => shown.classList.add("there"), { once: true });
    showThumbnail(shown, image, () => shown.replaceWith(symbol("broken")));
    photo.append(shown);
  } else photo.append(symbol("broken"));
  const back = button("Restore", () => act(() => restore([image.id]).then((ids) => (restored(ids), ids.length && `${name} restored.`))), { "aria-label": `Restore ${name}` });
  const erase = button(`Erase ${name} for good`, () => act(() => erased(image, name)), { icon: "bin", class: "quiet" });
  const made = make("li", {}, photo, make("p", { class: "caption" }, make("b", {}, name), make("span", {}, left(image))), make("div", { class: "row" }, back, erase));
  async function act(does) {
    try {
      const said = await does();
      if (!said) return;
      made.remove();
      announce("bin", said);
    } catch (error) {
      complain(error);
    }
  }
  return made;
}

async function erased(image, name) {
  if (!(await confirmed(`Erase ${name}?`, "Nothing brings it back.", "Erase"))) return "";
  await call("DELETE", at`images/${image.id}`.with({ permanent: true }));
  return `${name} erased.`;
}

async function emptied() {
  if (!(await confirmed("Empty the bin?", "All photos in it are erased. Nothing brings them back.", "Erase all"))) return;
  const { changed } = await followJob(await call("POST", at`images/delete`, { q: "status:binned", permanent: true }), "Erasing", "erased");
  notify(`${many(changed, "photo")} erased.`);
}

async function restoreAll(restored) {
  const { changed } = await followJob(await call("POST", at`images/restore`, { q: ALL }), "Restoring", "restored");
  restored();
  notify(`${many(changed, "photo")} restored.`);
}

/** "29 days left". */
function left({ erases_at: end, missing }) {
  if (missing) return "Gone from the bucket";
  const days = Math.ceil((Date.parse(end) - Date.now()) / A_DAY);
  return days > 0 ? `${many(days, "day")} left` : "Erased today";
}
