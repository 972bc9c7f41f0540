/** Deleting: into the bin, from which photos can be restored. */

import { at, call } from "./api.js";
import { confirmed } from "./dialogs.js";
import { followJob } from "./jobs.js";
import { tellTabs } from "./tabs.js";
import { complain, notify, undoableToast } from "./toasts.js";
import { many } from "./formats.js";

/** For how many days the bin keeps what is deleted; 0 where there is none. */
export const BIN_DAYS = Number(document.querySelector('meta[name="bin-days"]').content);

const LATE = 2500; // milliseconds until what was deleted is listed in the bin
let deletedAt = 0;

/** In how many milliseconds the bin lists everything that was deleted here; 0 if it does now. */
export const untilListed = () => Math.max(0, deletedAt + LATE - Date.now());

const AT_ONCE = 100; // images that the service takes in one request

/** Put images into the bin, with undo. Without a bin, ask first whether to erase them for good. */
export async function remove(library, ids) {
  if (!BIN_DAYS && !(await confirmed(`Delete ${many(ids.length, "photo")} for good?`, "There is no bin: nothing brings them back.", "Delete"))) return;
  const back = new Map(ids.map((id) => [id, library.hide(id)]));
  const putBack = (some) => some.forEach((id) => back.get(id)());
  const done = deleted(ids, putBack);
  const said = `${many(ids.length, "photo")} deleted.`;
  if (BIN_DAYS) undoableToast(said, { undo: () => (putBack(ids), done.then(() => restore(ids)).catch(complain)) });
  else notify(said);
  await done;
}

/** Take images out of the bin. */
export async function restore(ids) {
  const outcomes = await each(ids, (some) => call("POST", at`images/restore`, { ids: some }));
  const stuck = outcomes.filter((one) => !["restored", "unchanged"].includes(one.outcome));
  if (stuck.length) notify(`${many(stuck.length, "photo")} could not be restored: ${stuck.length === 1 ? "it is" : "they are"} not in the bucket any more.`, { bad: true });
  tellTabs("came", ids);
  return ids.filter((id) => !stuck.some((one) => one.id === id));
}

/** Put into the bin all that a search finds, loaded or not. */
export async function removeFound(query, found) {
  const where = BIN_DAYS ? `They stay in the bin for ${many(BIN_DAYS, "day")}.` : "There is no bin: nothing brings them back.";
  if (!(await confirmed(`Delete all that was found?`, `${found}. ${where}`, "Delete"))) return;
  const job = await followJob(await call("POST", at`images/delete`, { q: query }), "Deleting", "deleted");
  notify(`${many(job.changed, "photo")} deleted.`);
}

async function deleted(ids, putBack) {
  tellTabs("gone", ids);
  try {
    const outcomes = await each(ids, (some) => call("POST", at`images/delete`, { ids: some }, { keepalive: true })); // the page may be going away
    const kept = outcomes.filter((one) => !["binned", "erased", "unchanged", "not-found"].includes(one.outcome));
    putBack(kept.map((one) => one.id));
    deletedAt = Date.now();
  } catch (error) {
    putBack(ids);
    complain(error);
  }
}

async function each(ids, does) {
  const asked = [];
  for (let place = 0; place < ids.length; place += AT_ONCE) asked.push(does(ids.slice(place, place + AT_ONCE)));
  return (await Promise.all(asked)).flatMap((answer) => answer.images);
}
