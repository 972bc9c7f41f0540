/** The page of labels with their counts: search, rename and merge them. */

import { at, call } from "./api.js";
import { confirmed } from "./dialogs.js";
import { button, make } from "./dom.js";
import { followJob } from "./jobs.js";
import { loading } from "./loading.js";
import { address } from "./route.js";
import { countOf, rested, suggestions } from "./suggestions.js";
import { complain, notify } from "./toasts.js";
import { vocabulary } from "./vocabulary.js";
import { count, many, moment, quoted } from "./formats.js";

const PAGE = 200;
const LOOKS = 7; // at whether a renamed label is still listed

/** The page; it is loaded each time it is shown. */
export function labelsPage() {
  const names = suggestions("all-names");
  const prefix = make("input", { type: "search", id: "label-prefix", maxlength: "128", placeholder: "Begins with" });
  const sort = make("select", { id: "label-sort" }, make("option", { value: "count" }, "The most frequent first"), make("option", { value: "name" }, "By name"));
  const list = loading(() => labels({ prefix: prefix.value.trim(), sort: sort.value }, names, changed));
  const renames = loading(() => renamed(changed));
  const terms = loading(() => vocabulary(changed));
  function changed() {
    list.again();
    renames.again();
    terms.again();
  }
  prefix.addEventListener("input", rested(() => list.again()));
  sort.addEventListener("change", () => list.again());
  return make(
    "div",
    { class: "page" },
    make("h1", {}, "Labels"),
    make("p", { class: "muted" }, "Every label that photos of yours have, with the number of these photos. Rename one to call it otherwise from now on, everywhere; give it the name of another, and the two become one."),
    make("form", { class: "row filters", role: "search", submit: (event) => event.preventDefault() }, make("label", { for: "label-prefix", class: "unseen" }, "Labels that begin with"), prefix, make("label", { for: "label-sort", class: "unseen" }, "Order"), sort),
    list,
    renames,
    terms,
    names,
  );
}

async function labels(asked, names, changed) {
  const list = make("ul", { class: "catalogue" });
  const more = make("p");
  async function next(cursor) {
    const page = await call("GET", at`labels`.with({ ...asked, limit: PAGE, cursor }));
    list.append(...page.labels.map((one) => row(one, names, changed)));
    more.replaceChildren(page.next_cursor ? button("Show more", () => next(page.next_cursor).catch(complain)) : "");
  }
  await next(null);
  return [list.children.length ? list : make("p", { class: "muted" }, asked.prefix ? "No label begins so." : "There are no labels yet."), more];
}

function row({ name, count: number }, names, changed) {
  const rename = button("Rename", () => open(), { class: "quiet", "aria-label": `Rename ${name}`, "aria-expanded": "false" });
  const line = make("li", {}, make("a", { href: address({ q: quoted(name) }), "data-go": true }, name), make("span", { class: "count" }, many(number, "photo")), rename);
  function open() {
    const form = line.querySelector("form");
    rename.setAttribute("aria-expanded", String(!form));
    if (form) return form.remove();
    const field = make("input", { name: "to", required: true, maxlength: "128", list: names.id, "aria-label": `New name of ${name}` });
    field.addEventListener("input", () => names.suggest(field.value));
    line.append(make("form", { class: "row", submit: (event) => (event.preventDefault(), renameTo(name, field.value.trim(), changed)) }, field, make("button", {}, "Rename")));
    return field.focus();
  }
  return line;
}

async function renameTo(name, to, changed) {
  try {
    const { labels: found } = await call("GET", at`labels`.with({ prefix: to, limit: 1 }));
    const taken = found[0]?.name === to.toLowerCase() && found[0].name !== name;
    const why = `${to} is on ${many(taken ? found[0].count : 0, "photo")} already. Afterwards the two cannot be told apart.`;
    if (taken && !(await confirmed(`Merge ${name} into ${to}?`, why, "Merge"))) return;
    const { changed: photos } = await followJob(await call("POST", at`labels/${name}/rename`, { to }), `Renaming ${name}`, "renamed");
    notify(`${name} is called ${to} now, on ${many(photos, "photo")}.`);
    changed();
    if (await goesLate(name)) changed();
  } catch (error) {
    complain(error);
  }
}

/** Wait until a name is no longer listed, as counts follow a second or two later; whether it was listed and has gone. */
async function goesLate(name) {
  for (let looks = 0; looks < LOOKS; looks += 1) {
    if (!(await countOf(name))) return looks > 0;
    await new Promise((resolve) => setTimeout(resolve, 500 * 1.5 ** looks));
  }
  return false;
}

/** The renames for later results. */
async function renamed(changed) {
  const { renames } = await call("GET", at`renames`);
  if (!renames.length) return [];
  const end = async (from) => {
    try {
      await call("DELETE", at`labels/${from}/rename`);
      changed();
    } catch (error) {
      complain(error);
    }
  };
  const rows = renames.map((one) => make("li", {}, make("span", {}, `${one.from} → ${one.to}`), make("span", { class: "count" }, `since ${moment(one.at)}`), button("End", () => end(one.from), { class: "quiet", "aria-label": `End calling ${one.from} ${one.to}` })));
  return make("section", { class: "card", "aria-labelledby": "renames" }, make("h2", { id: "renames" }, `Renames (${count(renames.length)})`), make("p", { class: "muted" }, "They hold for every result to come."), make("ul", { class: "catalogue" }, ...rows));
}
