/** Waits until images are labelled: a few each by its own request, many by the list. */

import { at, call } from "./api.js";

const AT_ONCE = 2; // browsers allow six connections to a host, and thumbnails want some
const WAIT = 10; // seconds that the service may wait before it answers
const MOST_ASKED = 30; // times
const MANY = 4; // beyond that, a look at the list tells more than single answers
const LIST = 200;
const [SHORTEST, LONGEST] = [1500, 6000]; // milliseconds between two looks at the list
const REST = 2000;

export const isFinal = (image) => ["labelled", "failed", "binned"].includes(image.status);

const waiting = [];
const listeners = new Map(); // by id, all who want to be told
let busy = 0;
let pause = SHORTEST;

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

/** Wait for nothing any more. */
export function watchNothing() {
  waiting.length = 0;
  listeners.clear();
}

function next() {
  if (waiting.length > MANY && busy === 0) return run(lookAtList);
  while (busy < AT_ONCE && waiting.length && waiting.length <= MANY) run(() => look(waiting.shift()));
  return undefined;
}

function run(looking) {
  busy += 1;
  looking().finally(() => ((busy -= 1), next()));
}

async function look(one) {
  const route = at`images/${one.id}`.with({ wait: WAIT, with: "thumbnail_url" });
  const image = await call("GET", route, undefined, { patience: 2500 * WAIT }).catch((error) => error);
  one.asked += 1;
  if (!(image instanceof Error)) told(one, image);
  else if (image.status === 404 || one.asked === MOST_ASKED) listeners.delete(one.id);
  else if (isWatched(one.id)) waiting.push(one);
  if (image instanceof Error && image.status !== 404) await rest(REST);
}

/** The newest are those that are waited for; what is older than the list goes is asked for on its own, one each time. */
async function lookAtList() {
  const asked = waiting.splice(0);
  const page = await call("GET", at`images`.with({ limit: LIST, with: "thumbnail_url" })).catch(() => null);
  const found = new Map(page?.images.map((one) => [one.id, one]));
  const before = listeners.size;
  for (const one of asked) {
    if (found.has(one.id)) told(one, found.get(one.id));
    else if (isWatched(one.id)) waiting.unshift(one);
  }
  const oldest = page && waiting.findIndex((one) => one.id < page.images.at(-1)?.id);
  if (oldest >= 0) await look(waiting.splice(oldest, 1)[0]);
  pause = page && listeners.size < before ? SHORTEST : Math.min(1.5 * pause, LONGEST);
  if (listeners.size) await rest(pause);
}

function told(one, image) {
  for (const tell of listeners.get(one.id) ?? []) tell(image);
  if (isFinal(image) || one.asked === MOST_ASKED) listeners.delete(one.id);
  else if (isWatched(one.id)) waiting.push(one);
}

const rest = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
