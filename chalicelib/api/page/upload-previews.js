/** Previews of uploaded photos, from the file itself, until the page is left. */

const previews = new Map();
const MOST = 200; // kept in memory by the browser as long as they are named

/** `{url, ratio}` of a photo that was handed in here, or undefined. */
export const previewOf = (id) => previews.get(id);

/** Read a file as a picture; null where the browser cannot show its type. */
export async function read(file) {
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
    return { url, ratio: image.naturalWidth / image.naturalHeight };
  } catch {
    URL.revokeObjectURL(url);
    return null;
  }
}

/** Keep a preview under an image's id. */
export function keep(id, preview) {
  previews.set(id, preview);
  if (previews.size <= MOST) return;
  const [oldest] = previews.keys();
  previews.delete(oldest); // not revoked: a tile may still show it
}

/** Forget all of them. */
export function forgetPreviews() {
  for (const { url } of previews.values()) URL.revokeObjectURL(url);
  previews.clear();
}
