/** Facts of an image, and what of it can be downloaded. */

import { at, call, original, send } from "./api.js";
import { button, make } from "./dom.js";
import { folded } from "./loading.js";
import { save } from "./downloads.js";
import { complain } from "./toasts.js";
import { cameraTime, count, moment, size, SOURCES, STATES, title, WARNINGS } from "./formats.js";

/** Sections with the facts of an image. */
export function facts(image) {
  const known = Object.entries(factsOf(image)).filter(([, value]) => value);
  const rows = known.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
  const final = ["labelled", "failed"].includes(image.status);
  const there = final || image.status === "labelling";
  const sidecars = [
    sidecar("JSON", at`images/${image.id}/metadata`, `${image.id}.json`, "application/json"),
    sidecar("XML", at`images/${image.id}/metadata`, `${image.id}.xml`, "application/xml"),
    sidecar("XMP", at`images/${image.id}/xmp`, `${title(image)}.xmp`),
  ];
  const details = make("section", { "aria-label": "Details" }, make("h3", {}, "Details"), make("dl", {}, ...rows), make("p", { class: "row" }, there && download(image), ...(final ? sidecars : [])));
  return make("div", {}, details, raw(image));
}

function factsOf(image) {
  return {
    File: image.filename,
    State: STATES[image.status],
    Picture: image.width && `${count(image.width)} × ${count(image.height)} pixels${image.preview ? ", the preview in a camera raw file" : ""}`,
    Missing: image.warnings?.map((code) => WARNINGS[code] ?? code).join(", "),
    Size: image.size && `${size(image.size)}${image.content_type ? `, ${image.content_type}` : ""}`,
    Taken: image.taken_at && `${cameraTime(image.taken_at)}${SOURCES[image.taken_at_source] ?? ""}`,
    Camera: image.camera,
    Place: image.location && `${image.location.latitude.toFixed(4)}, ${image.location.longitude.toFixed(4)}`,
    Added: moment(image.created_at),
    Labelled: image.completed_at && image.status === "labelled" && moment(image.completed_at),
    Model: image.model && `${image.model.name} ${image.model.version}`,
    Id: image.id,
    ...image.metadata,
  };
}

/** The photo as it was handed in. */
const download = (image) =>
  button("Download", () => original(image.id).then((photo) => save(photo, title(image))).catch(complain));

/** What lies beside a photo: `XMP` is what photo programs read. */
const sidecar = (kind, route, name, type = "*/*") =>
  button(`Sidecar as ${kind}`, () =>
    send("GET", route, undefined, { headers: { Accept: type } })
      .then(async (reply) => save(await reply.blob(), name))
      .catch(complain),
  );

/** The image as the API gives it. */
const raw = (image) =>
  folded("Raw JSON", async () => make("pre", { tabindex: "0", "aria-label": "Raw JSON" }, JSON.stringify(await call("GET", at`images/${image.id}`), null, 2)));
