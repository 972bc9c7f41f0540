// Take Sightline's webhooks: WEBHOOK_SECRET=whsec_… node examples/receiver.mjs 9000
//
// Needs Node alone. Behind a proxy that speaks HTTPS it is fit for use as it stands; what is to be done with an
// event goes into `handle`, which the sender does not wait for.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const KEY = Buffer.from(process.env.WEBHOOK_SECRET.replace(/^whsec_/, ""), "base64");
const TOLERANCE = 300; // seconds that clocks may be apart; older requests may be somebody's replay
const MOST_BYTES = 1_000_000;
const seen = new Set(); // webhook-ids; a service with several processes keeps them in its database

async function handle({ type, data }) {
  const labels = (data.labels ?? []).map((label) => label.name).join(", ");
  console.log(`${type} ${data.filename || data.id}: ${labels}`);
}

/** Whether the bytes that came were signed with our secret (Standard Webhooks). */
function isGenuine(headers, body) {
  const at = headers["webhook-timestamp"] ?? "";
  if (!/^\d+$/.test(at) || Math.abs(Date.now() / 1000 - Number(at)) > TOLERANCE) return false;
  const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${at}.`), body]);
  const expected = Buffer.from(`v1,${createHmac("sha256", KEY).update(signed).digest("base64")}`);
  return (headers["webhook-signature"] ?? "").split(" ").some((one) => one.length === expected.length && timingSafeEqual(Buffer.from(one), expected));
}

async function bodyOf(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    if ((size += piece.length) > MOST_BYTES) return Buffer.alloc(0);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const server = createServer(async (request, response) => {
  const { headers } = request;
  if (request.method === "OPTIONS") {
    // The service asks whether it may call often (CloudEvents, "HTTP 1.1 Web Hooks").
    return response.writeHead(200, { "WebHook-Allowed-Origin": headers["webhook-request-origin"] ?? "*" }).end();
  }
  const body = await bodyOf(request);
  if (!isGenuine(headers, body)) return response.writeHead(401).end();
  const again = seen.has(headers["webhook-id"]); // the same delivery comes again where our answer was lost
  seen.add(headers["webhook-id"]);
  if (seen.size > 100_000) seen.delete(seen.values().next().value);
  response.writeHead(204).end();
  if (!again) handle(JSON.parse(body)).catch(console.error);
});

server.listen(Number(process.argv[2] ?? 9000), "127.0.0.1", () => console.log(`Listening on http://127.0.0.1:${server.address().port}`));
