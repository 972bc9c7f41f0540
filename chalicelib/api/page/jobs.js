/** Work on many images that the service does by itself: followed in a toast until it is over, and all of it on a page. */

import { announce } from "./announcing.js";
import { at, call } from "./api.js";
import { button, make } from "./dom.js";
import { pending } from "./pending.js";
import { address } from "./route.js";
import { ALL } from "./selection.js";
import { complain, progressToast } from "./toasts.js";
import { count, many, moment, quoted } from "./words.js";

const [SOON, SELDOM] = [700, 5000]; // milliseconds between two looks
const KINDS = { relabel: "Label again", correct: "Correct labels", rename: "Rename a label", delete: "Delete", restore: "Restore", zip: "Pack photos", vocabulary: "Change the vocabulary" };
const STATES = { running: "At work", done: "Done" };
const DID = { zip: "packed", restore: "restored", delete: "deleted", relabel: "to be labelled again" };

/** Whether nothing more happens to a job by itself. */
export const isOver = (job) => job.status !== "running";

/** Follow a job in a toast, "Labelling again: 40 photos so far …", until it is over; the job as it is then. */
export async function followJob(job, doing, done) {
  const toast = progressToast(`${doing} …`);
  try {
    const known = await followed(job, (now) => toast.tell(`${doing}: ${count(now.changed)} of ${many(now.looked_at, "photo")} so far …`));
    announce("job", `${many(known.changed, "photo")} ${done}.`);
    return known;
  } finally {
    toast.end();
  }
}

/** Look at a job now and then while `tell(job)` does not answer false; the job as it is in the end. */
async function followed(job, tell) {
  let known = job;
  for (let pause = SOON; !isOver(known); pause = Math.min(1.5 * pause, SELDOM)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    known = await call("GET", at`jobs/${job.id}`).catch((error) => (error.passes ? known : Promise.reject(error)));
    if (tell(known) === false) break;
  }
  return known;
}

/** The page; it is fetched anew whenever it is shown. */
export function jobsPage() {
  const choice = (name, all, some) => make("select", { id: name }, make("option", { value: "" }, all), ...Object.entries(some).map(([value, text]) => make("option", { value }, text)));
  const [kind, status] = [choice("job-kind", "All kinds", KINDS), choice("job-status", "At work and done", STATES)];
  const list = pending(() => jobs({ kind: kind.value, status: status.value }));
  for (const one of [kind, status]) one.addEventListener("change", () => list.again());
  return make(
    "div",
    { class: "page" },
    make("h1", {}, "Jobs"),
    make("p", { class: "muted" }, "Work on many photos, which the service does by itself and goes on with when this page is left."),
    make("form", { class: "row filters", submit: (event) => event.preventDefault() }, make("label", { for: kind.id }, "Show"), kind, make("label", { for: status.id, class: "unseen" }, "Which"), status),
    list,
  );
}

async function jobs(asked) {
  const list = make("ul", { class: "cards jobs" });
  const more = make("p");
  async function next(cursor) {
    const page = await call("GET", at`jobs`.with({ ...asked, cursor }));
    list.append(...page.jobs.map(row));
    more.replaceChildren(page.next_cursor ? button("Show more", () => next(page.next_cursor).catch(complain)) : "");
    if (!list.children.length && page.next_cursor) await next(page.next_cursor);
  }
  await next(null);
  const none = "There are none. What is done to all that a search finds, and every renamed label, is a job.";
  return [list.children.length ? list : make("p", { class: "muted" }, none), more];
}

function row(job) {
  const made = make("li", { class: "card", "data-id": job.id });
  const fill = (known) => {
    made.dataset.status = known.status;
    made.replaceChildren(...shown(known));
  };
  fill(job);
  followed(job, (known) => made.isConnected && (fill(known), true)).catch((error) => made.append(make("p", { class: "bad" }, error.message)));
  return made;
}

function shown(job) {
  const { kind, status, failures, links, missing = [] } = job;
  const over = isOver(job);
  const lines = [
    make("h2", {}, heading(job)),
    make("p", {}, make("span", { class: "badge" }, STATES[status]), " ", ...subject(job), make("span", { class: "muted" }, `, begun ${moment(job.created_at)}`)),
    make("p", {}, over || job.looked_at ? `${many(job.changed, "photo")} ${DID[kind] ?? "changed"}, of ${count(job.looked_at)} looked at${over ? "." : " so far …"}` : "About to begin …"),
    !over && make("progress", { "aria-label": `${heading(job)}: at work` }),
    links.archive && make("p", {}, make("a", { class: "button", href: links.archive, download: "" }, "Download the archive")),
    kind === "zip" && over && !links.archive && make("p", { class: "muted" }, "Its archive is gone: one is kept for a day."),
    job.complete === false && make("p", { class: "bad" }, missing.length ? `${many(missing.length, "photo")} could not be packed: not in the bucket.` : "The archive was full before the photos ended. Search for fewer."),
    failures.length > 0 && make("details", {}, make("summary", {}, `${many(job.failed, "photo")} could not be done`), make("ul", {}, ...failures.map(failure))),
  ];
  return lines.filter(Boolean);
}

/** "Add pet, remove sofa". */
function heading({ kind, request }) {
  const { add = [], remove = [], from, to, permanent } = request;
  if (kind === "rename") return `Rename ${from} to ${to}`;
  if (kind === "delete" && permanent) return "Erase for good";
  const changes = [add.length && `add ${add.join(", ")}`, remove.length && `remove ${remove.join(", ")}`].filter(Boolean).join(", ");
  return changes ? `${changes[0].toUpperCase()}${changes.slice(1)}` : (KINDS[kind] ?? kind);
}

/** Which photos it is about: a link to what finds them, if there are any to be seen. */
function subject({ kind, request: { q, to } }) {
  const query = kind === "rename" ? quoted(to) : q;
  if (!query || query === ALL) return ["All photos"];
  const known = kind === "rename" ? to : query;
  return kind === "delete" || query === "status:binned" ? [known] : [make("a", { href: address({ q: query }), "data-go": true }, known)];
}

const failure = ({ image_id: id, detail }) => make("li", {}, make("a", { href: address({ image: id }), "data-go": true }, "Photo"), `: ${detail}`);
