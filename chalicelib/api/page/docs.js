/** The API, shown from its own description (OpenAPI 3.1). */

import { addressOf } from "./address.js";
import { schemaOf } from "./docs-schema.js";
import { prose } from "./docs-prose.js";
import { trying } from "./docs-try.js";
import { make } from "./dom.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
let description;

/** What a node says, or what it refers to. */
function resolved(node) {
  if (!node?.$ref) return node ?? {};
  return node.$ref.split("/").slice(1).reduce((from, key) => from[key], description);
}

function operationsIn(tag) {
  return Object.entries(description.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]?.tags?.includes(tag)).map((method) => ({ path, method, item, ...item[method] })),
  );
}

function page() {
  const { info, tags } = description;
  const links = tags.map(({ name }) => make("li", {}, make("a", { href: `${location.pathname}#${anchor(name)}` }, name)));
  return [
    make("nav", { class: "contents", "aria-label": "Contents" }, make("ul", {}, ...links)),
    make("div", { class: "api" }, make("h1", {}, `${info.title} ${info.version}`), ...prose(info.description), ...servers(), ...tags.map(section)),
  ];
}

const servers = () => description.servers.map(({ url }) => make("p", { class: "muted" }, "The API begins at ", make("code", {}, url), "."));

const anchor = (name) => name.replaceAll(/\W+/g, "-");

function section({ name, description: about }) {
  return make(
    "section",
    { id: anchor(name), "aria-labelledby": `tag-${anchor(name)}` },
    make("h2", { id: `tag-${anchor(name)}` }, name[0].toUpperCase() + name.slice(1)),
    ...prose(about),
    ...operationsIn(name).map(operation),
  );
}

/** What an operation says is put there when it is first unfolded. */
function operation(one) {
  const head = make("summary", {}, make("b", { class: `method ${one.method}` }, one.method.toUpperCase()), make("code", {}, one.path), make("span", {}, one.summary));
  const made = make("details", { class: "operation", id: one.operationId }, head);
  made.addEventListener("toggle", () => made.append(details(one)), { once: true });
  return made;
}

function details(one) {
  const parameters = [...(one.item.parameters ?? []), ...(one.parameters ?? [])].map(resolved);
  const body = resolved(one.requestBody).content;
  return make(
    "div",
    {},
    ...prose(one.description),
    trying({ ...one, parameters, body }),
    parameters.length > 0 && table("Parameters", parameters.map(parameter)),
    ...(body ? media("Request body", body) : []),
    ...Object.entries(one.responses).flatMap(([status, response]) => answer(status, resolved(response))),
  );
}

function parameter(one) {
  const needed = one.required ? make("span", { class: "by" }, "required") : null;
  const about = [...prose(one.description), schemaOf(one.schema, resolved)];
  return [make("span", {}, make("code", {}, one.name), " ", needed), one.in, make("div", {}, ...about)];
}

function answer(status, response) {
  const headers = Object.entries(response.headers ?? {}).map(([name, header]) => [make("code", {}, name), "header", make("div", {}, ...prose(resolved(header).description))]);
  const body = response.content ? media("", response.content) : [];
  const shown = [...prose(response.description), headers.length > 0 && table("Headers", headers), ...body];
  return [make("details", { class: "answer" }, make("summary", {}, make("b", {}, status), ` ${response.description ?? ""}`), make("div", {}, ...shown.slice(1).filter(Boolean)))];
}

function media(heading, content) {
  return Object.entries(content).flatMap(([type, { schema, example, examples }]) => [
    make("p", { class: "media" }, heading && `${heading}, `, make("code", {}, type)),
    schemaOf(schema, resolved),
    ...shownExamples(example, examples),
  ]);
}

function shownExamples(example, examples = {}) {
  const all = example === undefined ? Object.values(examples).map((one) => resolved(one).value) : [example];
  return all.map((value) => make("pre", { tabindex: "0" }, typeof value === "string" ? value : JSON.stringify(value, null, 2)));
}

function table(caption, rows) {
  const cells = rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell))));
  return make("table", {}, make("caption", { class: "unseen" }, caption), make("tbody", {}, ...cells));
}

function unfold() {
  const target = document.getElementById(location.hash.slice(1)); // our anchors need no decoding, and others may not be decodable
  if (target?.matches("details")) target.open = true;
  target?.scrollIntoView();
}

async function show(main) {
  try {
    const reply = await fetch(addressOf("openapi.json"));
    if (!reply.ok) throw new Error(`The service answered ${reply.status}.`);
    description = await reply.json();
    main.replaceChildren(...page());
    unfold();
  } catch (error) {
    main.replaceChildren(make("p", { class: "bad" }, `The description cannot be shown: ${error.message}`));
  }
}

show(document.getElementById("main"));
addEventListener("hashchange", unfold);
