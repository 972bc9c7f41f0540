/** Exports of what a search finds: a list, or the photos themselves. */

import { at, call, original } from "./api.js";
import { followJob } from "./jobs.js";
import { save, saveFrom } from "./downloads.js";
import { notify, progressToast } from "./toasts.js";
import { title } from "./formats.js";
import { Archive } from "./zip.js";

const ALL = "after:1970-01-01";
const MOST_BYTES = 1_000_000_000; // an archive that is made here is in the browser's memory

/** Export what a query finds: "csv" and "jsonl" are lists, "zip" the photos. */
export async function exportFound(query, format) {
  if (format === "zip") return zipFound(query);
  for (let cursor = null, files = 0; files === 0 || cursor; files += 1) {
    const file = await call("GET", at`export`.with({ q: query, format, cursor }), undefined, { patience: 30_000 });
    if (files || !file.next_cursor) notify(`${file.images} photos are in the list.`);
    saveFrom(file.url);
    cursor = file.next_cursor;
  }
  return undefined;
}

async function zipFound(query) {
  const job = await call("POST", at`export`, { q: query || ALL });
  const done = await followJob(job, "Packing", "packed");
  if (done?.links.archive) saveFrom(done.links.archive);
}

/** Photos as they were handed in: one as itself, several in an archive. */
export async function download(images) {
  const told = progressToast("Fetching …");
  try {
    const archive = new Archive();
    for (const [place, image] of images.entries()) {
      told.tell(`Fetching ${place + 1} of ${images.length} photos …`);
      const blob = await original(image.id);
      if (images.length === 1) return save(blob, title(image));
      await archive.add(title(image), blob);
      if (archive.size > MOST_BYTES) throw new Error("These are more than 1 GB. Search for them and choose Export, Photos as ZIP.");
    }
    return save(archive.blob(), "photos.zip");
  } finally {
    told.end();
  }
}
