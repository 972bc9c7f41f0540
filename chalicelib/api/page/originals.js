/** Photos in full, of which a few are kept: the one that is looked at and its neighbours. */

import { at, picture } from "./api.js";

const MOST = 5;
const kept = new Map();

/** An `<img>` with the photo, ready to be painted; refused where the browser cannot show its type. */
export function original(id) {
  const known = kept.get(id);
  kept.delete(id);
  const promised = known ?? fetched(id);
  kept.set(id, promised); // again, as the youngest
  promised.catch(() => kept.get(id) === promised && kept.delete(id));
  if (kept.size > MOST) drop(kept.keys().next().value);
  return promised;
}

/** Forget all of them. */
export function forgetOriginals() {
  for (const id of kept.keys()) drop(id);
}

async function fetched(id) {
  const image = new Image();
  image.decoding = "async";
  image.draggable = false;
  image.src = await picture(at`images/${id}/content`);
  await image.decode();
  return image;
}

function drop(id) {
  kept.get(id).then(({ src }) => src.startsWith("blob:") && URL.revokeObjectURL(src), () => {});
  kept.delete(id);
}
