/** The page of usage: calls of recognisers and their cost at list prices, day by day. */

import { at, call } from "./api.js";
import { make } from "./dom.js";
import { loading } from "./loading.js";
import { count, day, money } from "./formats.js";

const USUAL_DAYS = 30;
const A_DAY = 86_400_000;
const isoDay = (time) => new Date(time).toISOString().slice(0, 10); // days are those of UTC

/** The page; it is loaded each time it is shown. */
export function usagePage() {
  const from = make("input", { type: "date", id: "usage-from", required: true, value: isoDay(Date.now() - (USUAL_DAYS - 1) * A_DAY) });
  const to = make("input", { type: "date", id: "usage-to", required: true, value: isoDay(Date.now()) });
  const shown = loading(() => usage(from.value, to.value));
  for (const one of [from, to]) one.addEventListener("change", () => from.value && to.value && shown.again());
  return make(
    "div",
    { class: "page" },
    make("h1", {}, "Usage"),
    make("p", { class: "muted" }, "Calls of recognisers and what they cost at list prices, by day (UTC). A photo with the same bytes as another is recognised once."),
    make("form", { class: "row filters", submit: (event) => event.preventDefault() }, make("label", { for: "usage-from" }, "From"), from, make("label", { for: "usage-to" }, "to"), to),
    shown,
  );
}

async function usage(from, to) {
  const { days, total, currency } = await call("GET", at`usage`.with({ from, to }));
  if (!days.length) return make("p", { class: "muted" }, "Nothing was recognised in these days.");
  const most = Math.max(...days.map((one) => one.images), 1);
  const head = ["Day", "Photos", "", "Spared", "Calls", "Cost"].map((one) => make("th", { scope: "col" }, one || make("span", { class: "unseen" }, "Share")));
  const rows = [...days].reverse().map((one) => row(day(one.day), one, currency, make("meter", { min: "0", max: most, value: one.images, "aria-label": `${one.day}, photos` })));
  return make(
    "div",
    { class: "card scrolls", tabindex: "0", role: "region", "aria-label": "Usage by day" },
    make("table", { class: "usage" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows), make("tfoot", {}, row("Together", total, currency, ""))),
  );
}

function row(name, { images, duplicates_spared: spared, calls, cost }, currency, bar) {
  const made = Object.entries(calls).map(([who, number]) => `${who} ${count(number)}`).join(", ");
  const cells = [count(images), bar, count(spared), made || "none", money(cost, currency)];
  return make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((one) => make("td", {}, one)));
}
