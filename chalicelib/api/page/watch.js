/** Waits for images to be labelled, a few at a time, and tells as soon as one is. */

import { call } from "./api.js";

const AT_ONCE = 2; // browsers allow six connections to a host, and thumbnails want some
const PATIENCE = 10; // seconds that the service may wait before it answers
const MOST_ASKED = 30; // times

export const isFinal = (image) => image.status === "labelled" || image.status === "failed";

const waiting = [];
const listeners = new Map(); // by id, all who want to be told
let busy = 0;

/** Call `tell(image)` with what is known of an image now and then, until it is final. */
export function watch(id, tell) {
  const known = listeners.get(id);
  if (known) return known.push(tell);
  listeners.set(id, [tell]);
  waiting.push({ id, asked: 0 });
  return next();
}

/** Whether somebody waits for an image. */
export const isWatched = (id) => listeners.has(id);

function next() {
  while (busy < AT_ONCE && waiting.length) {
    busy += 1;
    look(waiting.shift()).finally(() => ((busy -= 1), next()));
  }
}

async function look(one) {
  one.asked += 1;
  const image = await call("GET", `images/${one.id}?wait=${PATIENCE}&with=thumbnail_url`).catch((error) => error);
  if (!(image instanceof Error)) listeners.get(one.id).forEach((tell) => tell(image));
  const over = image instanceof Error ? image.status === 404 : isFinal(image);
  if (over || one.asked === MOST_ASKED) listeners.delete(one.id);
  else waiting.push(one);
  if (image instanceof Error && !over) await new Promise((resolve) => setTimeout(resolve, 2000));
}
