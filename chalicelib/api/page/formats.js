/** How times, sizes, numbers and names are written. */

const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const NUMBER = new Intl.NumberFormat();

/** A moment (RFC 3339) in the reader's own time. */
export const moment = (text) => DAY_AND_TIME.format(new Date(text));

/** A camera's clock: shown as it stood there, since it may not say where that was. */
export function cameraTime(text) {
  return DAY_AND_TIME.format(new Date(text.slice(0, 19)));
}

/** A day, "2026-11-30", as the reader writes it. */
export const day = (text) => new Date(`${text}T12:00:00Z`).toLocaleDateString(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** A sum of money, to the tenth of a cent: prices of single calls are below one. */
export const money = (sum, currency) => sum.toLocaleString(undefined, { style: "currency", currency, maximumFractionDigits: 3 });

/** 12,345. */
export const count = (number) => NUMBER.format(number);

/** "1 photo", "2 photos". */
export const many = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/** Bytes in the unit that suits them, of 1000. */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${step && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
}

/** What to call an image: its file's own name, without folders. */
export const title = (image) => image.filename.split("/").pop() || "Unnamed photo";

/** A name as the query language reads it: in quotes where it holds more than plain words. */
export function quoted(name) {
  if (/^[^\s&|!()"@:<>=\\]+( [^\s&|!()"@:<>=\\]+)*$/.test(name)) return name;
  return `"${name.replace(/["\\]/g, "\\$&")}"`;
}

/** The labels that say most: those that are no other label's parent, the surest first. */
export function specific(labels) {
  const parents = new Set(labels.flatMap((label) => label.parents));
  return labels.filter((label) => !parents.has(label.name)).sort((a, b) => b.confidence - a.confidence);
}

/** What an image's state means to somebody who looks at it. */
export const STATES = {
  uploading: "Uploading …", // known to this page only
  awaiting_upload: "Waiting for its upload",
  labelling: "Being labelled …",
  labelled: "Labelled",
  failed: "Could not be labelled",
  binned: "In the bin",
};

/** What is missing from a picture that was labelled all the same. */
export const WARNINGS = { truncated: "the end of the file, and with it the picture's last rows" };

/** What to add to a time that is not the moment at which the shutter opened. */
export const SOURCES = {
  "exif:DateTimeDigitized": ", when it was digitised",
  "xmp:DateTimeDigitized": ", when it was digitised",
  "xmp:CreateDate": ", when the file was made",
};

/** What is seen on an image, in a line: its labels, or why there are none. */
export function summary(image) {
  if (image.status !== "labelled") return STATES[image.status];
  return specific(image.labels).map((label) => label.name).slice(0, 4).join(", ") || "Nothing recognised";
}
