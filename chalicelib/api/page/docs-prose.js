/** Text of the description: paragraphs, with `code` in back-ticks. */

import { make } from "./dom.js";

/** Paragraphs for a text; none for none. */
export function prose(text) {
  const paragraphs = (text ?? "").split(/\n{2,}/).filter(Boolean);
  return paragraphs.map((one) => make("p", {}, ...one.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part))));
}
