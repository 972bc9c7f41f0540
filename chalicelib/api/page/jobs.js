/** Jobs of the service: followed in a toast until they end, and listed on a page. */

import { announce } from "./announcements.js";
import { at, call } from "./api.js";
import { button, make } from "./dom.js";
import { loading } from "./loading.js";
import { address } from "./route.js";
import { ALL } from "./selection.js";
import { complain, progressToast } from "./toasts.js";
import { count, many, moment, quoted } from "./formats.js";

const [SOON, SELDOM] = [700, 5000]; // milliseconds between two looks
const KINDS = { label: "Label what is there", relabel: "Label again", correct: "Correct labels", rename: "Rename a label", delete: "Delete", restore: "Restore", zip: "Pack photos", vocabulary: "Change the vocabulary" };
const STATES = { running: "At work", paused: "Resting", done: "Done", cancelled: "Cancelled", failed: "Failed" };
const OUTCOMES = { labelled: "labelled", copied: "same as another", known: "known before", failed: "could not be labelled", refused: "no photos to be had", repeated: "listed twice" };
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

/** The page; it is loaded each time it is shown. */
export function jobsPage() {
  const choice = (name, all, some) => make("select", { id: name }, make("option", { value: "" }, all), ...Object.entries(some).map(([value, text]) => make("option", { value }, text)));
  const [kind, status] = [choice("job-kind", "All kinds", KINDS), choice("job-status", "In any state", STATES)];
  const list = loading(() => jobs({ kind: kind.value, status: status.value }));
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
    made.replaceChildren(...shown(known), ...steering(known, act));
  };
  const follow = (known) => {
    fill(known);
    followed(known, (now) => made.isConnected && (fill(now), true)).catch((error) => made.append(make("p", { class: "bad" }, error.message)));
  };
  const act = (what) => call("POST", at`jobs/${job.id}/${what}`, {}).then(follow).catch(complain);
  follow(job);
  return made;
}

/** Buttons for a job that has not ended. */
function steering({ status, error, stopping }, act) {
  if (!["running", "paused"].includes(status) || stopping) return [];
  const more = status === "paused" && error?.code === "max-cost" ? "Resume it from the command line with a higher price." : "";
  const first = status === "running" ? button("Pause", () => act("pause")) : more ? make("span", { class: "muted" }, more) : button("Resume", () => act("resume"));
  return [make("p", { class: "row" }, first, button("Cancel", () => act("cancel")))];
}

function shown(job) {
  const { kind, status, failures, links, missing = [] } = job;
  const over = isOver(job);
  const lines = [
    make("h2", {}, heading(job)),
    make("p", {}, make("span", { class: "badge" }, STATES[status]), " ", ...subject(job), make("span", { class: "muted" }, `${kind === "label" ? "" : ", "}begun ${moment(job.created_at)}`)),
    kind === "label" || make("p", {}, over || job.looked_at ? `${many(job.changed, "photo")} ${DID[kind] ?? "changed"}, of ${count(job.looked_at)} looked at${over ? "." : " so far …"}` : "About to begin …"),
    status === "running" && make("progress", { "aria-label": `${heading(job)}: at work`, value: job.progress }),
    job.error && make("p", { class: "bad" }, job.error.detail),
    ...labelling(job),
    links.archive && make("p", {}, make("a", { class: "button", href: links.archive, download: "" }, "Download the archive")),
    kind === "zip" && over && !links.archive && make("p", { class: "muted" }, "Its archive is gone: one is kept for a day."),
    job.complete === false && make("p", { class: "bad" }, missing.length ? `${many(missing.length, "photo")} could not be packed: not in the bucket.` : "The archive was full before the photos ended. Search for fewer."),
    failures.length > 0 && make("details", {}, make("summary", {}, `${many(job.failed, "photo")} could not be done`), make("ul", {}, ...failures.map(failure))),
  ];
  return lines.filter((one) => one instanceof Node);
}

/** What a job that labels says besides. */
function labelling({ kind, status, outcomes = {}, estimate, rate, ends_at: end, cost, links }) {
  if (kind !== "label") return [];
  if (estimate) return [make("p", {}, `${many(estimate.recognitions, "photo")} to be recognised, of ${count(estimate.images)}: ${estimate.cost == null ? "at a price that is not known beforehand" : dollars(estimate.cost)}.`)];
  const done = Object.entries(outcomes).map(([name, number]) => `${count(number)} ${OUTCOMES[name]}`);
  const pace = status === "running" && rate ? [`${rate.toFixed(1)} a second`, end && `until ${moment(end)}`] : [];
  const told = [...(done.length ? done : ["Nothing is done yet"]), ...pace, cost && dollars(cost)].filter(Boolean).join(", ");
  const files = [["results_csv", "Results (CSV)"], ["results", "Results (JSON)"]].filter(([name]) => links[name]);
  return [told && make("p", { class: "muted" }, told), files.length && make("p", { class: "row" }, ...files.map(([name, text]) => make("a", { class: "button", href: links[name], download: "" }, text)))];
}

const dollars = (sum) => `$${sum.toFixed(2)}`;

/** "Add pet, remove sofa". */
function heading({ kind, request }) {
  const { add = [], remove = [], from, to, permanent, source, dry_run: dry } = request;
  if (kind === "label") return `${dry ? "What it would cost to label" : "Label"} ${source.urls ? `${count(source.urls)} addresses` : source.at}`;
  if (kind === "rename") return `Rename ${from} to ${to}`;
  if (kind === "delete" && permanent) return "Erase for good";
  const changes = [add.length && `add ${add.join(", ")}`, remove.length && `remove ${remove.join(", ")}`].filter(Boolean).join(", ");
  return changes ? `${changes[0].toUpperCase()}${changes.slice(1)}` : (KINDS[kind] ?? kind);
}

/** Which photos it is about: a link to what finds them, if there are any to be seen. */
function subject({ kind, request: { q, to } }) {
  if (kind === "label") return [];
  const query = kind === "rename" ? quoted(to) : q;
  if (!query || query === ALL) return ["All photos"];
  const known = kind === "rename" ? to : query;
  return kind === "delete" || query === "status:binned" ? [known] : [make("a", { href: address({ q: query }), "data-go": true }, known)];
}

const failure = ({ image_id: id, detail }) => make("li", {}, make("a", { href: address({ image: id }), "data-go": true }, "Photo"), `: ${detail}`);
