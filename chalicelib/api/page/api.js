/** The service: its calls, the one place where values become parts of an address, and its errors. */

import { addressOf } from "./address.js";

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const IDS = { images: ULID, jobs: ULID, subscriptions: ULID, tokens: ULID, deliveries: /^[0-9a-f]{32}$/ };
const KEPT = "sightline-token"; // in the tab's own storage, gone when it closes
const PATIENCE = 15_000; // milliseconds that an answer may take, beyond what the service was asked to wait

/** Whether a text is an image's id. */
export const isId = (text) => ULID.test(text);

/** A problem document (RFC 9457), or the next best thing where there is none; its status is 0 where no answer came. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.message ?? `The service answered ${status}.`);
    this.status = status;
    this.body = body;
  }

  /** Whether the same request may work later. */
  get passes() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** A route of the API, made by {@link at}. */
class Route {
  constructor(text) {
    this.text = text;
  }

  /** The same route with parameters; those without a value are left out. */
  with(parameters) {
    const told = Object.entries(parameters).filter(([, value]) => value != null && value !== "");
    const query = new URLSearchParams(told).toString();
    return query ? new Route(`${this.text}?${query}`) : this;
  }
}

/** A route: at`images/${id}/labels/${name}`. A value stays one part of the path, and an id is an id. */
export function at(parts, ...values) {
  return new Route(parts.reduce((path, part, place) => path + segment(path, values[place - 1]) + part));
}

function segment(path, value) {
  const form = IDS[path.slice(0, -1)];
  if (form && !form.test(value)) throw new Problem(404, { detail: "There is nothing at this address." });
  if (/^\.{0,2}$/.test(value)) throw new Problem(422, { detail: "A name cannot be empty or made of dots alone." }); // a browser would walk
  return encodeURIComponent(value);
}

let token = sessionStorage.getItem(KEPT);
let forgetting = new AbortController();
let asking = null;
let ask = () => Promise.reject(new Error("The service wants a token."));

/** Say who asks the person for a token: `ask(why)` promises one. */
export function tokensComeFrom(asker) {
  ask = asker;
}

/** Whether this tab has a token. */
export const hasToken = () => token !== null;

/** Use a token from now on, in this tab. */
export function keepToken(given) {
  token = given;
  sessionStorage.setItem(KEPT, given);
}

/** Forget the token of this tab. Requests on their way are called off: their refusals would ask for another token. */
export function forgetToken() {
  token = null;
  sessionStorage.removeItem(KEPT);
  forgetting.abort(new DOMException("The token was forgotten.", "AbortError"));
  forgetting = new AbortController();
}

/** The headers that say who makes a request. */
export const credentials = () => (token ? { Authorization: `Bearer ${token}` } : {});

/** Call a route; its JSON. Throws a {@link Problem}, or an AbortError if `signal` says so. */
export async function call(method, route, body, options) {
  const reply = await send(method, route, body, options);
  return reply.status === 204 ? null : reply.json().catch(unanswered);
}

/** Call a route; the answer itself. If the service wants a token, ask for one and call again. */
export async function send(method, route, body, options = {}) {
  if (!(route instanceof Route)) throw new TypeError("A route is made by at``.");
  const { signal, headers = {}, keepalive = false, patience = PATIENCE, cache } = options;
  const used = token;
  const ends = [signal, forgetting.signal, AbortSignal.timeout(patience)].filter(Boolean);
  const reply = await fetch(addressOf(route.text), {
    method,
    keepalive,
    cache,
    signal: AbortSignal.any(ends),
    headers: { ...headers, ...(body && { "Content-Type": "application/json" }), ...credentials() },
    body: body && JSON.stringify(body),
  }).catch(unanswered);
  if (reply.status === 401) {
    await renewed(used);
    return send(method, route, body, options);
  }
  if (!reply.ok) throw new Problem(reply.status, await reply.json().catch(() => ({})));
  return reply;
}

/** A photo as it was handed in, for a file. An `<img>` may have left it in the browser's cache without the header that lets a page read it. */
export const original = async (id) => (await send("GET", at`images/${id}/content`, undefined, { patience: 120_000, cache: "no-store" })).blob();

/** An address that an `<img>` can show; with a token it is fetched first, as an `<img>` cannot send one. */
export async function picture(route) {
  if (!hasToken()) return addressOf(route.text);
  return URL.createObjectURL(await (await send("GET", route)).blob());
}

function unanswered(error) {
  if (error.name === "AbortError") throw error;
  const late = error.name === "TimeoutError";
  throw new Problem(0, { detail: late ? "The service takes too long to answer." : "The service cannot be reached. Is this device online?" });
}

/** A token that is not `used`: one that came meanwhile, or one that the person gives. */
async function renewed(used) {
  if (token !== used) return;
  asking ??= ask(used ? "This token is not valid, or not any more." : "").finally(() => (asking = null));
  keepToken(await asking);
}
