/** Downloads to the disk of whoever reads the page. */

import { make } from "./dom.js";

const A_MINUTE = 60_000;

/** Have the browser save a blob under a name. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), A_MINUTE); // a large file is still being written
}

/** Have the browser fetch a file of another origin, which says itself that it is to be saved. */
export const saveFrom = (url) => make("a", { href: url, download: "" }).click();
