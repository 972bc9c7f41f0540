/** Plain words, "dogs and not cats", translated to the query language by the service. */

import { at, call } from "./api.js";

const STRICT = /[&|!()":@<>=]/;
const typed = new Map(); // by what was understood

/** A search for what is typed: as it is where it has the language's signs, else as its words are meant. */
export async function meant(text) {
  if (!text || STRICT.test(text)) return text;
  const { understood = text } = await call("GET", at`images`.with({ search: text, limit: 1 })).catch(() => ({}));
  typed.set(understood, text);
  return understood;
}

/** What somebody typed for a search, as far as that is known. */
export const typedFor = (query) => typed.get(query) ?? query;
