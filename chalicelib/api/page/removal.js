/** Deleting, with a while to think again. */

import { at, call } from "./api.js";
import { tellTabs } from "./tabs.js";
import { complain, undoableToast } from "./toasts.js";
import { many } from "./words.js";

/** Take images away; they are deleted when the time to undo has passed, or when the page is left. */
export function remove(library, ids) {
  const back = new Map(ids.map((id) => [id, library.hide(id)]));
  undoableToast(`${many(ids.length, "photo")} deleted.`, {
    undo: () => back.forEach((putBack) => putBack()),
    done: () => ids.forEach((id) => erase(id, back.get(id))),
  });
}

async function erase(id, putBack) {
  tellTabs("gone", [id]); // now: the page may be going away
  try {
    await call("DELETE", at`images/${id}`, undefined, { keepalive: true });
  } catch (error) {
    if (error.status === 404) return;
    putBack();
    complain(error);
  }
}
