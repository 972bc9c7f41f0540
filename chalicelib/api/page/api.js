/** The service: calls, and what it says when something is wrong. */

import { addressOf } from "./address.js";

/** A problem document (RFC 9457), or the next best thing where there is none. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.message ?? `The service answered ${status}.`);
    this.status = status;
    this.body = body;
  }
}

const KEPT = "sightline-token"; // in the tab's own storage, gone when it closes
let token = sessionStorage.getItem(KEPT);
let asking = null;
let ask = () => Promise.reject(new Error("The service wants a token."));

/** Say who asks the person for a token: `ask(why)` promises one. */
export function tokensComeFrom(asker) {
  ask = asker;
}

/** Whether this tab has a token. */
export const hasToken = () => token !== null;

/** Forget the token of this tab. */
export function forgetToken() {
  token = null;
  sessionStorage.removeItem(KEPT);
}

/** Call a route; its JSON. Throws a {@link Problem}, or an AbortError if `signal` says so. */
export async function call(method, path, body, options) {
  const reply = await send(method, path, body, options);
  return reply.status === 204 ? null : reply.json();
}

/** Call a route; the answer itself. Where a token is wanted, one is asked for and the call made again. */
export async function send(method, path, body, { signal, headers = {}, keepalive = false } = {}) {
  const used = token;
  const reply = await fetch(addressOf(path), {
    method,
    signal,
    keepalive,
    headers: { ...headers, ...(body && { "Content-Type": "application/json" }), ...credentials() },
    body: body && JSON.stringify(body),
  }).catch(unreachable);
  if (reply.status === 401) {
    await renewed(used);
    return send(method, path, body, { signal, headers, keepalive });
  }
  if (!reply.ok) throw new Problem(reply.status, await reply.json().catch(() => ({})));
  return reply;
}

/** An address that an `<img>` can show; with a token it is fetched first, as an `<img>` cannot send one. */
export async function picture(path) {
  if (!hasToken()) return addressOf(path);
  return URL.createObjectURL(await (await send("GET", path)).blob());
}

const credentials = () => (token ? { Authorization: `Bearer ${token}` } : {});

function unreachable(error) {
  if (error.name === "AbortError") throw error;
  throw new Problem(0, { detail: "The service cannot be reached. Is this device online?" });
}

/** A token that is not `used`: one that came meanwhile, or one that the person gives. */
async function renewed(used) {
  if (token !== used) return;
  asking ??= ask(used ? "This token is not valid, or not any more." : "").finally(() => (asking = null));
  token = await asking;
  sessionStorage.setItem(KEPT, token);
}
