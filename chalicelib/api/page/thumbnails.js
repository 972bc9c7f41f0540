/** Thumbnails, by the link that came with the image, or by a fresh one if that is too old. */

import { at, picture } from "./api.js";

/** Let an `<img>` show an image's thumbnail; `failed()` is called where there is none to be had. */
export function showThumbnail(shown, image, failed) {
  const anew = () => {
    shown.addEventListener("error", failed, { once: true });
    picture(at`images/${image.id}/thumbnail`).then((url) => (shown.src = url), failed);
  };
  if (!image.thumbnail_url) return anew();
  shown.addEventListener("error", anew, { once: true });
  shown.src = image.thumbnail_url;
  return undefined;
}
