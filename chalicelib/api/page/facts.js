/** What else is known of an image, and its sidecar to take along. */

import { send } from "./api.js";
import { button, make } from "./dom.js";
import { complain } from "./toasts.js";
import { cameraTime, count, moment, size, SOURCES, STATES, WARNINGS } from "./words.js";

/** A section with the facts of an image. */
export function facts(image) {
  const known = Object.entries(factsOf(image)).filter(([, value]) => value);
  const rows = known.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]);
  const final = ["labelled", "failed"].includes(image.status);
  return make(
    "section",
    { "aria-label": "Details" },
    make("h3", {}, "Details"),
    make("dl", {}, ...rows),
    final && make("p", { class: "row" }, download(image, "JSON", "application/json"), download(image, "XML", "application/xml")),
  );
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

function download(image, name, type) {
  return button(`Sidecar as ${name}`, () => save(image, name, type).catch(complain));
}

async function save(image, name, type) {
  const reply = await send("GET", `images/${image.id}/metadata`, undefined, { headers: { Accept: type } });
  const url = URL.createObjectURL(await reply.blob());
  make("a", { href: url, download: `${image.id}.${name.toLowerCase()}` }).click();
  URL.revokeObjectURL(url);
}
