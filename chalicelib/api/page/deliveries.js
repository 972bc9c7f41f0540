/** The deliveries of an image, attempt by attempt. */

import { announce } from "./announcements.js";
import { at, call } from "./api.js";
import { button, make } from "./dom.js";
import { skeleton } from "./loading.js";
import { address } from "./route.js";
import { complain } from "./toasts.js";
import { many, moment } from "./formats.js";

const LOOKS = 6; // how often a delivery is looked at after it was sent again
const WHERE = { integration: "Integration server (XML)", callback: "Callback" };
const STATES = { pending: "On its way", delivered: "Delivered", parked: "Parked", cancelled: "Cancelled" };

/** A section with an image's deliveries. */
export function deliveriesOf(image) {
  return section(at`images/${image.id}/deliveries`, "Nobody has been told of this photo yet.");
}

/** A section with the deliveries that a route lists, under a heading of a level. */
export function section(path, none, level = "h3") {
  const list = make("ul", { class: "deliveries" });
  const shown = make("section", { "aria-label": "Deliveries" }, make(level, { class: level === "h2" ? "unseen" : null }, "Deliveries"), list); // a page of them says so already
  const failed = (error, cursor) => list.append(make("li", { class: "bad" }, error.message, " ", button("Try again", (event) => (event.target.closest("li").remove(), more(cursor)))));
  const more = (cursor) => show(list, path, cursor, none, more).catch((error) => failed(error, cursor));
  list.append(make("li", { class: "waits" }, skeleton("lines")));
  more(null).finally(() => list.querySelector(".waits")?.remove());
  return shown;
}

async function show(list, path, cursor, none, more) {
  const page = await call("GET", path.with({ cursor }));
  list.querySelector(".waits")?.remove();
  list.append(...page.deliveries.map(row));
  if (!list.children.length) list.append(make("li", { class: "muted" }, none));
  if (!page.next_cursor) return;
  const next = make("li", {}, button("Show more", () => (next.remove(), more(page.next_cursor))));
  list.append(next);
}

function row(delivery) {
  const made = make("li", { "data-status": delivery.status });
  fill(made, delivery);
  return made;
}

function fill(made, delivery) {
  const focused = made.contains(document.activeElement);
  made.dataset.status = delivery.status;
  const open = delivery.status === "parked" || delivery.status === "pending";
  const attempts = delivery.attempts.map((one) => make("li", {}, `${moment(one.at)}: ${outcome(one)}`));
  const next = delivery.next_attempt_at && `Next try ${moment(delivery.next_attempt_at)}.`;
  const said = [delivery.reason, delivery.reference && `Receipt ${delivery.reference}.`, next].filter(Boolean).join(" ");
  made.replaceChildren(
    make("span", {}, make("b", {}, WHERE[delivery.destination] ?? `Subscription ${delivery.destination}`), " ", make("a", { href: address({ image: delivery.image_id }), "data-go": true }, `result ${delivery.result}`), `, ${moment(delivery.created_at)}`),
    make("span", { class: "badge" }, STATES[delivery.status]),
    said ? make("p", { class: "muted" }, said) : "",
    make("details", {}, make("summary", {}, many(attempts.length, "attempt")), make("ol", {}, ...attempts)),
    open ? button("Send again", () => sendAgain(made, delivery)) : "",
  );
  if (focused) made.querySelector("summary").focus(); // what had the focus is gone
}

function outcome(attempt) {
  const took = attempt.duration_ms === null ? "" : ` after ${attempt.duration_ms} ms`;
  if (attempt.status) return `answered ${attempt.status}${took}`;
  return attempt.error ? `${attempt.error}` : "under way";
}

async function sendAgain(made, delivery) {
  try {
    let known = await call("POST", at`deliveries/${delivery.id}/retry`, {});
    fill(made, known);
    for (let looks = 0; looks < LOOKS && known.status === "pending"; looks += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500 * 1.5 ** looks));
      known = await call("GET", at`deliveries/${delivery.id}`);
      fill(made, known);
    }
    announce("delivery", STATES[known.status]);
  } catch (error) {
    complain(error);
  }
}
