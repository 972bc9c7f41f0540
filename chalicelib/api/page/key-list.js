/** The keys of the page, shown by `?`. */

import { button, make } from "./dom.js";

const KEYS = {
  Everywhere: [["/", "Search"], ["u", "Add photos"], ["Ctrl+Z", "Undo"], ["?", "Show these keys"]],
  "Among the photos": [
    ["← → ↑ ↓ Home End", "Go through them"],
    ["Enter", "Open the photo"],
    ["x, Space", "Pick it, with Shift all from the last one"],
    ["Ctrl+A", "Pick all that are found"],
    ["Escape", "Pick none"],
    ["Delete", "Delete the photo, and with it all others that are picked"],
  ],
  "In a photo": [
    ["← →", "The one before, the next"],
    ["+ − 0", "Larger, smaller, whole"],
    ["f", "Full screen"],
    ["b", "Show all boxes"],
    ["l", "Add a label"],
    ["c", "Copy the text that was read on it"],
    ["r", "Label again"],
    ["Delete", "On a label: remove it. On the photo's name: delete the photo"],
    ["Escape", "Back to the photos"],
  ],
};

/** Open the list of keys; once. */
export function showKeys() {
  const groups = Object.entries(KEYS).map(([heading, keys]) => make("section", {}, make("h3", {}, heading), make("dl", { class: "keys" }, ...keys.flatMap(row))));
  const dialog = make(
    "dialog",
    { class: "card keys", "aria-labelledby": "keys-heading", close: () => dialog.remove() },
    make("header", {}, make("h2", { id: "keys-heading" }, "Keys"), button("Close", () => dialog.close(), { icon: "close", class: "quiet" })),
    ...groups,
  );
  document.body.append(dialog);
  dialog.showModal();
}

const row = ([key, does]) => [make("dt", {}, ...key.split(/(, )/).map((one) => (one === ", " ? one : make("kbd", {}, one)))), make("dd", {}, does)];
