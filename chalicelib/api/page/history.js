/** The history of an image: its results, and what changed between them. */

import { at, call } from "./api.js";
import { make } from "./dom.js";
import { folded } from "./loading.js";
import { moment } from "./formats.js";

const KINDS = { recognised: "Recognised", corrected: "Corrected by a person", copied: "Copied from a photo with the same bytes", failed: "Could not be labelled", renamed: "A label was renamed" };

/** A section with an image's results, which are fetched when it is unfolded. */
export function historyOf(image) {
  return folded("History", async () => {
    const { history } = await call("GET", at`images/${image.id}/history`);
    const rows = history.map(row);
    return make("ol", { class: "history" }, ...(rows.length ? rows : [make("li", { class: "muted" }, "Nothing has come of it yet.")]));
  });
}

function row(result) {
  const { at: when, kind, model, error, labels, changes } = result;
  const by = model ? `, ${model.name} ${model.version}` : "";
  const first = changes ? null : make("p", { class: "muted" }, error?.detail ?? labels.map((one) => one.name).join(", "));
  return make("li", {}, make("b", {}, KINDS[kind] ?? kind), make("span", { class: "muted" }, ` ${moment(when)}${by}`), first, ...changed(changes));
}

function changed(changes) {
  if (!changes) return [];
  const lines = [
    changes.added.length && `+ ${changes.added.join(", ")}`,
    changes.removed.length && `− ${changes.removed.join(", ")}`,
    changes.confidence.length && changes.confidence.map((one) => `${one.name} ${one.before} → ${one.after}`).join(", "),
  ].filter(Boolean);
  return (lines.length ? lines : ["Nothing changed."]).map((line) => make("p", { class: "change" }, line));
}
