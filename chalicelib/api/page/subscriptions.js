/** The page of subscriptions: who is told of results; test, edit, pause and remove them. */

import { at, call, send } from "./api.js";
import { confirmed, shownOnce } from "./dialogs.js";
import { section } from "./deliveries.js";
import { button, make } from "./dom.js";
import { loading } from "./loading.js";
import { complain, notify } from "./toasts.js";
import { moment } from "./formats.js";

const USUAL = { "sightline.image.labelled": "is labelled", "sightline.image.failed": "cannot be labelled", "sightline.image.corrected": "is corrected" };
const TOLD = { ...USUAL, "sightline.image.deleted": "is deleted", "sightline.image.restored": "is restored" };
const LISTED = new Intl.ListFormat("en", { type: "disjunction" });

/** The page; it is loaded each time it is shown. */
export function subscriptionsPage() {
  const load = () => list.again();
  const list = loading(() => cards(load));
  return make(
    "div",
    { class: "page" },
    make("h1", {}, "Subscriptions"),
    make("p", { class: "muted" }, "A subscription gets a signed message at its address for every photo that is labelled, cannot be labelled or is corrected, or for those that a search finds. It can be paused, and changed at any time."),
    form(load),
    list,
    signing(),
  );
}

async function cards(load) {
  const { subscriptions } = await call("GET", at`subscriptions`);
  const none = make("li", { class: "muted" }, "There are none yet. Make one above, then press Test to see whether its address answers.");
  return make("ul", { class: "cards" }, ...(subscriptions.length ? subscriptions.map((one) => card(one, load)) : [none]));
}

function form(load) {
  const said = make("p", { class: "bad", role: "alert" });
  const made = make("form", { class: "card new", "aria-label": "New subscription" }, ...fields({ url: "", filter: "", format: "json", event_types: Object.keys(USUAL) }), make("button", { class: "primary" }, "Subscribe"), said);
  made.addEventListener("submit", (event) => (event.preventDefault(), create(made, said, load)));
  return made;
}

/** What can be said of a subscription, as it is now. */
function fields({ url, filter, format, event_types: types }) {
  const formats = [["json", "JSON (CloudEvents)"], ["xml", "XML"]].map(([value, name]) => make("option", { value, selected: value === format }, name));
  const events = Object.entries(TOLD).map(([type, when]) => make("label", { class: "row" }, make("input", { type: "checkbox", name: "events", value: type, checked: types.includes(type) }), when));
  return [
    field("Address", make("input", { name: "url", type: "url", required: true, maxlength: "2048", placeholder: "https://example.com/hook", value: url })),
    field("Only photos like", make("input", { name: "filter", maxlength: "1000", placeholder: "dog@90 (all photos if empty)", value: filter ?? "" })),
    field("Format", make("select", { name: "format" }, ...formats)),
    make("fieldset", { class: "across" }, make("legend", {}, "Told when a photo"), make("div", { class: "row" }, ...events)),
  ];
}

/** What a form says of a subscription. */
function wanted(form) {
  const data = new FormData(form);
  return { url: data.get("url"), format: data.get("format"), filter: data.get("filter").trim() || null, event_types: data.getAll("events") };
}

const field = (name, input) => make("label", { class: "field" }, make("span", {}, name), input);

async function create(form, said, load) {
  said.textContent = "";
  try {
    const { secret } = await call("POST", at`subscriptions`, wanted(form));
    form.reset();
    load();
    await shownOnce("The signing secret", "Your server checks with it that messages are ours. Keep it now: it is not shown again.", secret);
  } catch (error) {
    said.textContent = error.message;
  }
}

function card(subscription, load) {
  const outcome = make("p", { class: "outcome", role: "status" });
  const log = make("details", {}, make("summary", {}, "Deliveries"));
  log.addEventListener("toggle", () => log.children.length < 2 && log.append(section(at`subscriptions/${subscription.id}/deliveries`, "Nothing has been sent there yet.")));
  const { id, url, filter, format, paused, disabled, confirmed: agreed } = subscription;
  const told = LISTED.format(subscription.event_types.map((type) => TOLD[type]));
  const made = make(
    "li",
    { class: "card", "data-id": id },
    make("h2", {}, url),
    make("p", { class: "muted" }, `${filter ? `Photos like ${filter}` : "All photos"}: told when one ${told}, as ${format.toUpperCase()}. Since ${moment(subscription.created_at)}.`),
    paused && make("p", { class: "bad" }, "Paused: what happens meanwhile is not told, and what was waiting is parked."),
    disabled && make("p", { class: "bad" }, `Nothing is sent there since ${moment(disabled.at)}: ${disabled.reason}`),
    make(
      "p",
      { class: "row" },
      button("Test", () => test(subscription, outcome)),
      button("Edit", () => edit(), { "data-control": "edit", "aria-expanded": "false" }),
      button(paused ? "Go on" : "Pause", () => change({ paused: !paused }, "pause").catch(complain), { "data-control": "pause" }),
      !agreed && button("Ask for consent", () => confirm(subscription, outcome, load), { title: "Until it agrees, an address is told 60 times an hour at most" }),
      button("New secret", () => rotate(subscription)),
      button("Unsubscribe", () => end(subscription, load), { class: "danger" }),
    ),
    outcome,
    log,
  );
  /** Change it, if it is still as it was seen; the card shows what it is then. */
  async function change(changes, control, seen) {
    const now = await call("PATCH", at`subscriptions/${id}`, changes, { headers: seen ? { "If-Match": seen } : {} });
    const fresh = card(now, load);
    made.replaceWith(fresh);
    fresh.querySelector(`[data-control=${control}]`).focus();
  }
  async function edit() {
    const open = made.querySelector("form");
    const opener = made.querySelector("[data-control=edit]");
    opener.setAttribute("aria-expanded", String(!open));
    if (open) return open.remove();
    try {
      const reply = await send("GET", at`subscriptions/${id}`);
      const shown = editor(await reply.json(), (changes) => change(changes, "edit", reply.headers.get("ETag")));
      outcome.before(shown);
      return shown.elements.url.focus();
    } catch (error) {
      return complain(error);
    }
  }
  return made;
}

/** A form with a subscription as it is; `change(changes)` promises that it is changed. */
function editor(subscription, change) {
  const said = make("p", { class: "bad", role: "alert" });
  const save = async (event) => {
    event.preventDefault();
    said.textContent = "";
    await change(wanted(made)).then(() => notify("The subscription was changed."), (error) => (said.textContent = error.message));
  };
  const made = make("form", { class: "new edits", "aria-label": `Edit ${subscription.url}`, submit: save }, ...fields(subscription), make("button", { class: "primary" }, "Save"), said);
  return made;
}

async function test(subscription, outcome) {
  outcome.textContent = "Sending …";
  try {
    const { arrived, status, error, duration_ms: took } = await call("POST", at`subscriptions/${subscription.id}/test`, {});
    outcome.textContent = `${arrived ? "Arrived" : "Not taken"}: ${error ?? `it answered ${status} after ${took} ms`}.`.replace("..", ".");
    outcome.dataset.good = String(arrived);
  } catch (error) {
    outcome.textContent = error.message;
  }
}

/** Ask whether the receiver agrees to be called often. */
async function confirm(subscription, outcome, load) {
  outcome.textContent = "Asking …";
  try {
    const { confirmed, status, error } = await call("POST", at`subscriptions/${subscription.id}/confirm`, {});
    if (confirmed) return notify("It agrees to be called often."), load();
    outcome.textContent = `It has not agreed: ${error ?? `it answered ${status} without the token of the challenge`}.`.replace("..", ".");
    outcome.dataset.good = "false";
  } catch (error) {
    outcome.textContent = error.message;
  }
  return undefined;
}

async function rotate(subscription) {
  await newSecret(at`subscriptions/${subscription.id}/signing-secret/rotate`);
}

async function newSecret(path) {
  if (!(await confirmed("Make a new secret?", "Messages are signed with the old one as well for a day, then no more.", "New secret"))) return;
  try {
    const { secret } = await call("POST", path, {});
    await shownOnce("The new secret", "Give it to your server within a day.", secret);
  } catch (error) {
    complain(error);
  }
}

async function end(subscription, load) {
  if (!(await confirmed("Unsubscribe?", `${subscription.url} will be told no more; what is on its way is cancelled.`, "Unsubscribe"))) return;
  try {
    await call("DELETE", at`subscriptions/${subscription.id}`);
    notify("Unsubscribed.");
    load();
  } catch (error) {
    complain(error);
  }
}

/** The secret that callbacks and the integration server's XML are signed with. */
function signing() {
  const show = async () => {
    try {
      const { secret } = await call("GET", at`signing-secret`);
      await shownOnce("The signing secret", "Callbacks and the XML for the integration server are signed with it.", secret);
    } catch (error) {
      complain(error);
    }
  };
  return make(
    "section",
    { class: "card", "aria-labelledby": "signing" },
    make("h2", { id: "signing" }, "Callbacks and the integration server"),
    make("p", { class: "muted" }, "They share one signing secret; a subscription has its own."),
    make("p", { class: "row" }, button("Show secret", show), button("New secret", () => newSecret(at`signing-secret/rotate`))),
  );
}
