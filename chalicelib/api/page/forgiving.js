/** Plain words as people type them, "dogs and not cats" or "dog beach -night", in the words of the query language. */

import { commonLabels, countOf, folded } from "./suggestions.js";
import { quoted } from "./words.js";

const LONGEST_NAME = 5; // words
const STRICT = /[&|!()":@<>=]/;
const SIGNS = new Map([["and", "&"], ["or", "|"], ["not", "!"], ["without", "!"], ["with", "&"], ["but", "&"], ["+", "&"], [",", "&"]]);

/** A search for what is typed: as it is where it has the language's signs or is a label, else as its words are meant. */
export async function meant(text) {
  if (!text || STRICT.test(text)) return text;
  const known = new Map((await commonLabels()).map(({ name }) => [folded(name), name]));
  if (known.has(folded(text)) || (await countOf(text).catch(() => 0))) return text;
  const words = text.replaceAll(",", " , ").trim().split(/\s+/);
  const terms = await termsOf(words, known);
  return terms.every((one) => one.sign || one.known) ? joined(terms) : text; // else it is asked what was meant
}

/** Signs, and the longest labels that the words make: `{sign}` or `{name, known, not}`. */
async function termsOf(words, known) {
  const terms = [];
  for (let at = 0; at < words.length; ) {
    const sign = SIGNS.get(words[at].toLowerCase());
    if (sign) {
      terms.push({ sign });
      at += 1;
      continue;
    }
    const not = /^-./.test(words[at]);
    const rest = [not ? words[at].slice(1) : words[at], ...words.slice(at + 1, at + LONGEST_NAME)];
    const { name, taken } = await longest(rest, known);
    terms.push({ name, known: name !== null, not });
    at += taken;
  }
  return terms;
}

async function longest(words, known) {
  for (let taken = words.length; taken > 0; taken -= 1) {
    const name = words.slice(0, taken).join(" ");
    const found = forms(name).map((one) => known.get(folded(one))).find(Boolean);
    if (found) return { name: found, taken };
  }
  for (const form of forms(words[0])) if (await countOf(form).catch(() => 0)) return { name: form, taken: 1 };
  return { name: null, taken: 1 };
}

/** A name, and what it may be the plural of. */
function forms(name) {
  const ends = [[/ies$/i, "y"], [/(ch|sh|s|x|z)es$/i, "$1"], [/ves$/i, "f"], [/s$/i, ""], [/men$/i, "man"], [/^people$/i, "person"], [/children$/i, "child"], [/mice$/i, "mouse"]];
  return [name, ...ends.filter(([end]) => end.test(name)).map(([end, put]) => name.replace(end, put))];
}

function joined(terms) {
  let query = "";
  let [between, not] = ["&", false];
  for (const term of terms) {
    if (term.sign === "!") not = true;
    else if (term.sign) between = term.sign;
    if (term.sign) continue;
    query += `${query && ` ${between} `}${not || term.not ? "!" : ""}${quoted(term.name)}`;
    [between, not] = ["&", false];
  }
  return query;
}
