/** Subscriptions: who is told of results, tried out and taken away. */

import { at, call } from "./api.js";
import { confirmed, shownOnce } from "./asking.js";
import { section } from "./deliveries.js";
import { button, make } from "./dom.js";
import { pending } from "./pending.js";
import { complain, notify } from "./toasts.js";
import { moment } from "./words.js";

const TOLD = { "sightline.image.labelled": "labelled", "sightline.image.failed": "failed", "sightline.image.corrected": "corrected" };
const LISTED = new Intl.ListFormat("en", { type: "disjunction" });

/** The page; it is fetched anew whenever it is shown. */
export function subscriptionsPage() {
  const load = () => list.again();
  const list = pending(() => cards(load));
  return make(
    "div",
    { class: "page" },
    make("h1", {}, "Subscriptions"),
    make("p", { class: "muted" }, "A subscription gets a signed message at its address for every photo that is labelled, cannot be labelled or is corrected, or for those that a search finds."),
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
  const made = make(
    "form",
    { class: "card new", "aria-label": "New subscription" },
    field("Address", make("input", { name: "url", type: "url", required: true, maxlength: "2048", placeholder: "https://example.com/hook" })),
    field("Only photos like", make("input", { name: "filter", maxlength: "1000", placeholder: "dog@90 (all photos if empty)" })),
    field("Format", make("select", { name: "format" }, make("option", { value: "json" }, "JSON (CloudEvents)"), make("option", { value: "xml" }, "XML"))),
    field("Told of", make("select", { name: "events" }, make("option", { value: "" }, "Every result"), ...Object.entries(TOLD).map(([type, word]) => make("option", { value: type }, `Only ${word} photos`)))),
    make("button", { class: "primary" }, "Subscribe"),
    said,
  );
  made.addEventListener("submit", (event) => (event.preventDefault(), create(made, said, load)));
  return made;
}

const field = (name, input) => make("label", { class: "field" }, make("span", {}, name), input);

async function create(form, said, load) {
  const { url, filter, format, events } = Object.fromEntries(new FormData(form));
  const wanted = { url, format, ...(filter && { filter }), ...(events && { event_types: [events] }) };
  said.textContent = "";
  try {
    const { secret } = await call("POST", at`subscriptions`, wanted);
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
  const told = LISTED.format(subscription.event_types.map((type) => TOLD[type]));
  const off = subscription.disabled;
  return make(
    "li",
    { class: "card" },
    make("h2", {}, subscription.url),
    make("p", { class: "muted" }, `${subscription.filter ? `Photos like ${subscription.filter}` : "All photos"}, when ${told}, as ${subscription.format.toUpperCase()}. Since ${moment(subscription.created_at)}.`),
    off && make("p", { class: "bad" }, `Nothing is sent there since ${moment(off.at)}: ${off.reason}`),
    make("p", { class: "row" }, button("Test", () => test(subscription, outcome)), !subscription.confirmed && button("Ask for consent", () => confirm(subscription, outcome, load), { title: "Until it agrees, an address is told 60 times an hour at most" }), button("New secret", () => rotate(subscription)), button("Unsubscribe", () => end(subscription, load), { class: "danger" })),
    outcome,
    log,
  );
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
