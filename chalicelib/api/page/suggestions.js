/** Labels whose names are like what is being typed. */

import { at, call } from "./api.js";
import { make } from "./dom.js";

const MOST = 8;
const PAUSE = 120; // milliseconds without a key
const COMMON = 200; // the most frequent labels, by whose every word is completed
const GOOD = 60_000; // milliseconds that these are good for
let common = { at: 0, labels: Promise.resolve([]) };

/** At most so many labels `[{name, count}]` whose names begin so, the most frequent first. */
export async function beginning(prefix, most = MOST) {
  return (await call("GET", at`labels`.with({ limit: most, sort: "count", prefix: prefix.slice(0, 128) }))).labels;
}

/** The most frequent labels, read once a minute at most. */
export function commonLabels() {
  if (Date.now() - common.at > GOOD) common = { at: Date.now(), labels: beginning("", COMMON).catch(() => ((common.at = 0), [])) };
  return common.labels;
}

/** How many images have a label of exactly this name. */
export async function countOf(name) {
  const wanted = name.toLowerCase();
  const { labels } = await call("GET", at`labels`.with({ limit: 1, prefix: wanted.slice(0, 128) }));
  return labels[0]?.name === wanted ? labels[0].count : 0;
}

/** At most so many labels of which any word begins so; those whose name does come first. */
export async function completions(text, most = MOST) {
  const wanted = folded(text);
  const [begin, all] = await Promise.all([beginning(text), commonLabels()]);
  const inside = all.filter(({ name }) => folded(name).split(" ").some((_, at, words) => words.slice(at).join(" ").startsWith(wanted)));
  return [...new Map([...begin, ...inside].map((one) => [one.name, one])).values()].slice(0, most);
}

/** The common names that differ from a text in a letter or two, the nearest first. */
export async function similar(text) {
  const wanted = folded(text);
  const most = wanted.length < 5 ? 1 : 2;
  const near = (await commonLabels()).map(({ name }) => ({ name, away: distance(folded(name), wanted, most) }));
  return near.filter(({ away }) => away > 0 && away <= most).sort((a, b) => a.away - b.away).map(({ name }) => name);
}

/** Without case and diacritics. */
export const folded = (text) => text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();

/** A `<datalist>` that can `suggest(prefix)`. */
export function suggestions(id) {
  const list = make("datalist", { id });
  list.suggest = rested(async (prefix) => {
    const found = prefix.trim() ? await completions(prefix.trim()).catch(() => []) : [];
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

/** Letters to be changed, added or left out, or left with their neighbour (Damerau-Levenshtein); beyond `most` any number. */
function distance(one, other, most) {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let [before, last] = [[], Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let a = 1; a <= one.length; a += 1) {
    const line = [a];
    for (let b = 1; b <= other.length; b += 1) {
      line[b] = Math.min(last[b] + 1, line[b - 1] + 1, last[b - 1] + (one[a - 1] !== other[b - 1]));
      if (one[a - 1] === other[b - 2] && one[a - 2] === other[b - 1]) line[b] = Math.min(line[b], before[b - 2] + 1);
    }
    [before, last] = [last, line];
  }
  return last[other.length];
}
