/** The photos before and after one that was opened by its address, before the list is fetched that far. */

import { at, call } from "./api.js";

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SPANS = [3_600_000, 86_400_000, 30 * 86_400_000, 400 * 86_400_000, 20_000 * 86_400_000]; // milliseconds, each wider
const MOST = 200;

/** The ids `[before, behind]` in a list, newest first, of what a search finds; undefined where there is none. */
export async function neighboursOf(image, search) {
  const { id } = image;
  if (search.sort) return besideByDate(image, search);
  const moment = momentOf(id);
  const [behind, before] = await Promise.all([olderThan(id, moment, search), newerThan(id, moment, search)]);
  return [before, behind];
}

async function olderThan(id, moment, search) {
  const found = await idsOf(search, { before: moment + 1 }, 20);
  return found.find((one) => one < id);
}

/** Lists begin with what is newest, so what is just newer is looked for in spans. */
async function newerThan(id, moment, search) {
  for (const span of SPANS) {
    const found = await idsOf(search, { after: moment, before: moment + span }, MOST);
    const newer = found.filter((one) => one > id);
    if (newer.length) return newer.at(-1);
    if (moment + span > Date.now()) return undefined;
  }
  return undefined;
}

/** By date taken: of the same day, month or year, or of any date, the first that have not too many. */
async function besideByDate({ id, taken_at: taken }, search) {
  const spans = taken ? [taken.slice(0, 10), taken.slice(0, 7), taken.slice(0, 4), ".."].map((one) => `taken:${one}`) : ["!taken:.."];
  let found = [];
  for (const span of spans) {
    const ids = await listed(search, [span], MOST);
    const place = ids.indexOf(id);
    if (place < 0) return found;
    found = [ids[place - 1], ids[place + 1]];
    if (found.every(Boolean)) break;
  }
  return found;
}

const idsOf = (search, { after, before }, limit) => listed(search, [after && `after:${new Date(after).toISOString()}`, before && `before:${new Date(before).toISOString()}`], limit);

async function listed({ q, sort }, bounds, limit) {
  const asked = [q && `(${q})`, ...bounds].filter(Boolean).join(" & ");
  const { images } = await call("GET", at`images`.with({ q: asked, order: sort, limit }));
  return images.map((one) => one.id);
}

/** An id begins with the time at which it was made, in milliseconds. */
const momentOf = (id) => [...id.slice(0, 10)].reduce((sum, one) => sum * 32 + DIGITS.indexOf(one), 0);
