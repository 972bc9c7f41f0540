/** Completions of a search: labels, signs between them, fields and their values. */

import { completions, countOf } from "./suggestions.js";
import { count, quoted } from "./formats.js";

const SIGNS = [["& ", "and"], ["| ", "or"], ["& !", "and not"]];
const STATUSES = { labelled: "with labels", failed: "could not be labelled", labelling: "being labelled", awaiting_upload: "not uploaded yet" };
const FIELDS = { "status:": "by state", "filename:": "by how the file's name begins", "named:": "by a word of the file's name", "text:": "by what is written on it or in its caption", "after:": "handed in since", "before:": "handed in until", "taken:": "by the date taken" };
const A_DAY = 86_400_000;

/** `[{put, name, hint}]` for the text since the last sign: `name` is shown, and `put` stands in its place if it is taken. */
export async function completionsOf(text) {
  const word = text.trim();
  if (!word) return [];
  const [, field, value] = /^(\w+):\s*(.*)$/.exec(word) ?? [];
  if (field) return valuesOf(field, value);
  if (text.endsWith(" ") && (await countOf(word).catch(() => 0))) return SIGNS.map(([sign, means]) => ({ put: `${text}${sign}`, name: sign, hint: means }));
  const labels = (await completions(word).catch(() => [])).filter((one) => one.name !== word);
  const fields = Object.entries(FIELDS).filter(([name]) => name.startsWith(word.toLowerCase()));
  return [...labels.map((one) => ({ put: quoted(one.name), name: one.name, hint: count(one.count), label: true })), ...fields.map(([name, hint]) => ({ put: name, name, hint }))];
}

function valuesOf(field, typed) {
  const all = { status: STATUSES, after: dates(), before: dates(), taken: years() }[field.toLowerCase()] ?? {};
  return Object.entries(all)
    .filter(([value]) => value.startsWith(typed) && value !== typed)
    .map(([value, hint]) => ({ put: `${field}:${value}`, name: `${field}:${value}`, hint }));
}

/** The last years, for dates taken. */
function years() {
  const now = new Date().getFullYear();
  return Object.fromEntries(Array.from({ length: 8 }, (_, back) => [String(now - back), ["this year", "last year"][back] ?? ""]));
}

/** Days that people often ask for. */
function dates() {
  const now = new Date();
  const day = (time) => time.toISOString().slice(0, 10);
  const first = (year, month) => day(new Date(Date.UTC(year, month, 1)));
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()];
  return {
    [day(now)]: "",
    [day(new Date(now - 7 * A_DAY))]: "a week ago",
    [first(year, month)]: "this month",
    [first(year, month - 1)]: "last month",
    [first(year, 0)]: "this year",
    [first(year - 1, 0)]: "last year",
    [day(now)]: "today", // also on the first of a month
  };
}
