/** Names of labels that begin like what is being typed. */

import { at, call } from "./api.js";
import { make } from "./dom.js";

const MOST = 8;
const PAUSE = 120; // milliseconds without a key

/** At most so many labels `[{name, count}]` whose names begin so, the most frequent first. */
export async function beginning(prefix, most = MOST) {
  return (await call("GET", at`labels`.with({ limit: most, sort: "count", prefix: prefix.slice(0, 128) }))).labels;
}

/** A `<datalist>` that can `suggest(prefix)`. */
export function suggestions(id) {
  const list = make("datalist", { id });
  list.suggest = rested(async (prefix) => {
    const found = prefix.trim() ? await beginning(prefix.trim()).catch(() => []) : [];
    list.replaceChildren(...found.map(({ name }) => make("option", { value: name })));
  });
  return list;
}

/** The same function, called only when no further call came for a moment. */
export function rested(called) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => called(...values), PAUSE);
  };
}
