/** A JSON Schema, shown as nested lists that unfold. */

import { prose } from "./docs-prose.js";
import { make } from "./dom.js";

const RANGES = [["minimum", "maximum", ""], ["minLength", "maxLength", " characters"], ["minItems", "maxItems", " items"]];
const NAMED = ["format", "default"];

/** The element for a schema; `resolved(node)` follows references. */
export function schemaOf(schema, resolved, depth = 0) {
  if (!schema) return null;
  const whole = flat(schema, resolved);
  const fields = Object.entries(whole.properties ?? {});
  const inner = whole.items ? schemaOf(whole.items, resolved, depth + 1) : null;
  const listed = fields.map(([name, one]) => field(name, one, whole, resolved, depth));
  const shown = [line(whole, schema), ...(depth ? [] : prose(whole.description)), inner, listed.length > 0 && make("ul", { class: "fields" }, ...listed)];
  return make("div", { class: "schema" }, ...shown);
}

/** A field of an object, whose own schema unfolds if there is more to it. */
function field(name, schema, whole, resolved, depth) {
  const own = flat(schema, resolved);
  const needed = whole.required?.includes(name) ? make("span", { class: "by" }, "required") : null;
  const head = [make("code", {}, name), " ", line(own, schema), needed];
  const about = prose(own.description);
  if (!own.properties && !flat(own.items ?? {}, resolved).properties) return make("li", {}, ...head, ...about);
  const inside = make("details", {}, make("summary", {}, ...head));
  inside.addEventListener("toggle", () => inside.children.length > 1 || inside.append(schemaOf(schema, resolved, depth + 1)));
  return make("li", {}, ...about, inside);
}

/** What a schema says by itself and by all that it is made of. */
function flat(schema, resolved) {
  const own = resolved(schema);
  const parts = [...(own.allOf ?? []), ...(own.oneOf ?? []).filter((one) => one.type !== "null")].map((one) => flat(one, resolved));
  const merged = { ...Object.assign({}, ...parts), ...own };
  merged.properties = Object.assign({}, ...parts.map((one) => one.properties), own.properties);
  merged.required = [...parts.flatMap((one) => one.required ?? []), ...(own.required ?? [])];
  if (!Object.keys(merged.properties).length) delete merged.properties;
  if (own.oneOf?.some((one) => one.type === "null")) merged.nullable = true;
  return merged;
}

function line(own, schema) {
  const kind = [own.type ?? (own.properties ? "object" : "")].flat().filter((one) => one !== "null").join(" or ");
  const none = own.nullable || [own.type].flat().includes("null") ? " or null" : "";
  const name = schema.$ref?.split("/").pop();
  const choices = own.enum ?? (own.const === undefined ? null : [own.const]);
  const said = NAMED.filter((key) => own[key] !== undefined).map((key) => `${key} ${JSON.stringify(own[key])}`);
  const words = [name && kind !== name ? `${name} (${kind || "any"})` : kind, choices && `one of ${choices.map((one) => JSON.stringify(one)).join(", ")}`, ...RANGES.map((one) => range(one, own)), own.pattern && `matches ${own.pattern}`, ...said];
  return make("span", { class: "kind" }, words.filter(Boolean).join(", ") + none);
}

/** "1 to 255 characters", "at least 1", or nothing. */
function range([low, high, noun], own) {
  const [least, most] = [own[low], own[high]];
  if (least === undefined && most === undefined) return null;
  if (least === undefined) return `at most ${most}${noun}`;
  return (most === undefined ? `at least ${least}` : `${least} to ${most}`) + noun;
}
