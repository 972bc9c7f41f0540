/** One file on its way: announced to the service, then straight to the bucket by a presigned form. */

import { at, call, Problem } from "./api.js";

/**
 * Send a file; the image. `announced(image)` is told as soon as the image is known, `progress(fraction)` as it
 * goes. If `signal` calls it off, what was announced is taken back.
 */
export async function send(file, name, { announced, progress, signal }) {
  const image = await call("POST", at`images`, name ? { filename: name.slice(-255) } : {}, { signal });
  try {
    announced(image);
    await post(image.upload.form, file, { progress, signal });
    return image;
  } catch (error) {
    await call("DELETE", at`images/${image.id}`).catch(() => {}); // an upload nobody waits for any more
    throw error;
  }
}

/** Have the service fetch a photo; the image. */
export const fetchFrom = (url, { signal }) => call("POST", at`images`, { url }, { signal });

function post(form, file, { progress, signal }) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const request = new XMLHttpRequest(); // fetch cannot tell how far it has come
  request.upload.addEventListener("progress", (event) => progress(event.loaded / event.total));
  request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(refused(request.status))));
  request.addEventListener("error", () => reject(new Error("The connection broke off.")));
  request.addEventListener("abort", () => reject(new DOMException("Cancelled", "AbortError")));
  signal.addEventListener("abort", () => request.abort(), { once: true });
  request.open("POST", form.url);
  request.send(filled(form.fields, file));
  return promise;
}

function filled(fields, file) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append("file", file); // S3 reads nothing after the file
  return data;
}

const refused = (status) =>
  new Problem(status, { detail: `The storage refused the file (${status}). It may be too large, or the form too old.` });
