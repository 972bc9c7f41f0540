/** Try a request: token, parameters and body, and the answer; the same request for curl and for Python. */

import { addressOf } from "./address.js";
import { credentials, forgetToken, hasToken, keepToken } from "./api.js";
import { button, make } from "./dom.js";

const MOST_SHOWN = 20_000; // characters

/** A form for an operation `{method, path}` with its resolved `parameters` and the media types of its body. */
export function trying({ method, path, operationId, parameters, body }) {
  const field = ({ name, in: where, required, example, schema }) => {
    const id = `${operationId}-${where}-${name}`;
    const value = example ?? (required && where !== "path" ? schema?.default : "") ?? "";
    return make("label", { class: "field", for: id }, make("span", {}, `${name} (${where}${required ? ", required" : ""})`), make("input", { id, "data-name": name, "data-in": where, value: where === "path" ? "" : required ? value : "", placeholder: value || null, required }));
  };
  const type = Object.keys(body ?? {})[0];
  const text = body && make("textarea", { id: `${operationId}-body`, rows: "6", spellcheck: "false" });
  const examples = body ? examplesOf(body[type]) : [];
  const choice = make("select", { id: `${operationId}-example` }, ...examples.map(([name], at) => make("option", { value: at }, name)));
  if (text) text.value = examples[0][1];
  choice.addEventListener("change", () => (text.value = examples[choice.value][1]));
  const fields = parameters.filter((one) => ["path", "query", "header"].includes(one.in)).map(field);
  const answer = make("div", { class: "tried", role: "status" });
  const asked = () => request(made, { method, path, type, text });
  const made = make(
    "form",
    { class: "try", "aria-label": `Try ${method.toUpperCase()} ${path}`, submit: (event) => (event.preventDefault(), send(asked(), answer)) },
    token(operationId),
    ...fields,
    examples.length > 1 && make("label", { class: "field", for: choice.id }, make("span", {}, "Example"), choice),
    text && make("label", { class: "field", for: text.id }, make("span", {}, `Body (${type})`), text),
    make("p", { class: "row" }, make("button", { class: "primary" }, "Send"), copy("Copy as curl", () => asCurl(asked())), copy("Copy as Python", () => asPython(asked()))),
    answer,
  );
  return make("details", { class: "trying" }, make("summary", {}, "Try it"), made);
}

function token(operationId) {
  const id = `${operationId}-token`;
  const input = make("input", { id, type: "password", autocomplete: "off", placeholder: hasToken() ? "This tab has one" : "none" });
  input.addEventListener("change", () => (input.value.trim() ? keepToken(input.value.trim()) : forgetToken()));
  return make("label", { class: "field", for: id }, make("span", {}, "Token (kept for this tab)"), input);
}

/** `[name, text]` of each example of a body. */
function examplesOf({ example = {}, examples }) {
  const all = examples ? Object.entries(examples).map(([name, one]) => [one.summary ?? name, one.value]) : [["", example]];
  return all.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value, null, 2)]);
}

/** What the form asks for: `{method, url, headers, body}`. */
function request(form, { method, path, type, text }) {
  const values = [...form.querySelectorAll("[data-in]")].map((one) => ({ name: one.dataset.name, where: one.dataset.in, value: one.value }));
  const of = (where) => values.filter((one) => one.where === where && one.value !== "").map(({ name, value }) => [name, value]);
  const filled = path.slice(1).replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values.find((one) => one.where === "path" && one.name === name)?.value ?? ""));
  const query = new URLSearchParams(of("query")).toString();
  const body = text?.value.trim() ? text.value : undefined;
  return {
    method: method.toUpperCase(),
    url: addressOf(query ? `${filled}?${query}` : filled),
    headers: { ...Object.fromEntries(of("header")), ...(body && { "Content-Type": type }), ...credentials() },
    body,
  };
}

async function send({ method, url, headers, body }, place) {
  place.replaceChildren(make("p", { class: "muted" }, "Waiting …"));
  const began = performance.now();
  try {
    const reply = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(30_000) });
    const text = await reply.text();
    const took = Math.round(performance.now() - began);
    const told = [...reply.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    place.replaceChildren(
      make("p", {}, make("b", { class: reply.ok ? "good" : "bad" }, `${reply.status} ${reply.statusText}`), ` after ${took} ms`),
      make("pre", { tabindex: "0", "aria-label": "Headers of the answer" }, told),
      text && make("pre", { tabindex: "0", "aria-label": "Body of the answer" }, readable(text)),
    );
  } catch (error) {
    place.replaceChildren(make("p", { class: "bad" }, `No answer came: ${error.message}. A redirect to the bucket cannot be followed from here.`));
  }
}

function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2).slice(0, MOST_SHOWN);
  } catch {
    return text.slice(0, MOST_SHOWN);
  }
}

function copy(label, written) {
  const made = button(label, async () => {
    await navigator.clipboard.writeText(written());
    made.textContent = "Copied";
    setTimeout(() => (made.textContent = label), 2000);
  });
  return made;
}

const inShell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const shown = (headers) => Object.entries(headers).map(([name, value]) => [name, name === "Authorization" ? "Bearer TOKEN" : value]); // no token in a clipboard

/** The request as a command of the shell. */
function asCurl({ method, url, headers, body }) {
  const parts = [`curl -X ${method} ${inShell(url)}`, ...shown(headers).map(([name, value]) => `-H ${inShell(`${name}: ${value}`)}`), body && `--data-binary ${inShell(body)}`];
  return parts.filter(Boolean).join(" \\\n  ");
}

/** The request in Python, with the library requests. */
function asPython({ method, url, headers, body }) {
  const told = shown(headers).map(([name, value]) => `        ${inPython(name)}: ${inPython(value)},`).join("\n");
  const lines = ["import requests\n", "answer = requests.request(", `    ${inPython(method)},`, `    ${inPython(url)},`, told && `    headers={\n${told}\n    },`, body && `    data=${inPython(body)}.encode(),`, "    timeout=30,", ")", "print(answer.status_code, answer.text)"];
  return lines.filter(Boolean).join("\n");
}

/** JSON's strings are Python's, but for surrogates, which are written out as they are. */
const inPython = (text) => JSON.stringify(text);
