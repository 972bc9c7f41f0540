/** Work on many images that the service does by itself: how far it is, until it is over. */

import { announce } from "./announcing.js";
import { at, call } from "./api.js";
import { progressToast } from "./toasts.js";
import { count, many } from "./words.js";

const [SOON, SELDOM] = [700, 5000]; // milliseconds between two looks
const OVER = ["done", "failed", "cancelled"];

/** Whether nothing more happens to a job by itself. */
export const isOver = (job) => OVER.includes(job.status);

/** Follow a job in a toast, "Labelling again: 40 photos so far …", until it is over; the job as it is then. */
export async function followJob(job, doing, done) {
  const toast = progressToast(`${doing} …`);
  let known = job;
  try {
    for (let pause = SOON; !isOver(known); pause = Math.min(1.5 * pause, SELDOM)) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      known = await call("GET", at`jobs/${job.id}`).catch((error) => (error.passes ? known : Promise.reject(error)));
      toast.tell(`${doing}: ${count(known.changed)} of ${many(known.looked_at, "photo")} so far …`);
    }
  } finally {
    toast.end();
  }
  announce("job", `${many(known.changed, "photo")} ${done}.`);
  return known;
}
