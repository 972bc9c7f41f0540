/** Which files the library has already: asked by their SHA-256 before anything is sent. */

import { at, call } from "./api.js";

const MOST = 100; // files, of which the first are on their way before the last are read
const FIRST = 4;
const HEX = (byte) => byte.toString(16).padStart(2, "0");

/** How many files to ask for next, of so many that were asked for before. */
export const nextBatch = (before) => (before ? MOST : FIRST);

/** Of some files, those that are here already; none where that cannot be found out. */
export async function duplicatesAmong(files) {
  if (!crypto.subtle) return new Set(); // browsers have it in secure places only
  const digests = new Map();
  for (const file of files) digests.set(file, await digestOf(file).catch(() => null)); // one at a time: they may be large
  const asked = [...new Set(digests.values())].filter(Boolean);
  if (!asked.length) return new Set();
  const { images } = await call("POST", at`images/known`, { sha256: asked }).catch(() => ({ images: [] }));
  const here = new Set(images.filter((one) => one.id).map((one) => one.sha256));
  return new Set(files.filter((file) => here.has(digests.get(file))));
}

async function digestOf(file) {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map(HEX).join("");
}
