/** One upload: announced to the service, then sent to the bucket by a presigned form. */

import { at, call, Problem } from "./api.js";

/**
 * Send a file; the image. `key` is its own for good: repeated with it, an announcement whose answer was lost makes no
 * second image. `announced(image)` is told as soon as the image is known, `progress(fraction)` as it goes.
 */
export async function send(file, name, { key, announced, progress, signal }) {
  const image = await call("POST", at`images`, name ? { filename: name.slice(-255) } : {}, { signal, headers: { "Idempotency-Key": key } });
  announced(image);
  if (image.upload) await post(image.upload.form, file, { progress, signal }); // else it is there already
  return image;
}

/** Have the service fetch a photo; the image. */
export const fetchFrom = (url, { key, signal }) => call("POST", at`images`, { url }, { signal, headers: { "Idempotency-Key": key }, patience: 30_000 });

function post(form, file, { progress, signal }) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const request = new XMLHttpRequest(); // fetch cannot tell how far it has come
  request.upload.addEventListener("progress", (event) => progress(event.loaded / event.total));
  request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(refused(request.status))));
  request.addEventListener("error", () => whoseFault(file).then(reject));
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

/** A browser says the same of a file that was moved meanwhile and of a connection that broke off. */
async function whoseFault(file) {
  const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false);
  if (!readable) return new Problem(422, { detail: "The file cannot be read any more." });
  return new Problem(0, { detail: "The connection broke off." });
}

const refused = (status) =>
  new Problem(status, { detail: `The storage refused the file (${status}). It may be too large, or the form too old.` });
