/** The page of all deliveries, by destination; parked ones are sent again together. */

import { at, call } from "./api.js";
import { section } from "./deliveries.js";
import { button, make } from "./dom.js";
import { loading } from "./loading.js";
import { complain, notify } from "./toasts.js";
import { count } from "./formats.js";

const A_DAY = 86_400_000;
const SPANS = { 1: "of the last day", 7: "of the last 7 days", 30: "of the last 30 days" };

/** The page; it is fetched anew whenever it is shown. */
export function deliveriesPage() {
  return make(
    "div",
    { class: "page" },
    make("h1", {}, "Deliveries"),
    make("p", { class: "muted" }, "Who was told of results, attempt by attempt. What could not be delivered for a day is parked, and waits here to be sent again."),
    loading(async () => listing((await call("GET", at`subscriptions`)).subscriptions)),
  );
}

function listing(subscriptions) {
  const places = [["integration", "Integration server (XML)"], ["callback", "Callbacks"], ...subscriptions.map((one) => [one.id, one.url])];
  const who = make("select", { id: "delivered-to" }, ...places.map(([value, name]) => make("option", { value }, name)));
  const which = make("select", { id: "delivered-how" }, make("option", { value: "any" }, "All"), make("option", { value: "parked" }, "Parked only"));
  const span = make("select", { id: "retry-span" }, ...Object.entries(SPANS).map(([value, name]) => make("option", { value }, name)));
  const place = make("div", { class: "card" });
  const load = () => place.replaceChildren(section(at`deliveries`.with({ destination: who.value, status: which.value }), which.value === "parked" ? "Nothing is parked." : "Nothing has been sent there yet.", "h2"));
  for (const one of [who, which]) one.addEventListener("change", load);
  load();
  return [
    make("form", { class: "row filters", submit: (event) => event.preventDefault() }, make("label", { for: who.id }, "To"), who, make("label", { for: which.id, class: "unseen" }, "Which"), which),
    make("form", { class: "row filters", submit: (event) => (event.preventDefault(), again(who.value, Number(span.value), load)) }, make("button", {}, "Send all parked again"), make("label", { for: span.id, class: "unseen" }, "Of which time"), span),
    place,
  ];
}

/** Send what was parked again, as often as there is more. */
async function again(destination, days, load) {
  const [since, until] = [new Date(Date.now() - days * A_DAY).toISOString(), new Date().toISOString()];
  let sent = 0;
  try {
    for (let more = true; more; ) {
      const answer = await call("POST", at`deliveries/retry`, { destination, since, until });
      sent += answer.count;
      more = answer.more && answer.count > 0;
    }
    const told = sent === 1 ? "1 delivery is on its way again." : `${count(sent)} deliveries are on their way again.`;
    notify(sent ? told : "Nothing is parked there.");
  } catch (error) {
    complain(error);
  }
  load();
}
