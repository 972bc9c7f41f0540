// What openapi-typescript makes: through create, upload, wait, search, correct, subscribe, export.
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { paths } from "./types";

function given<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

async function main([address, photo, hook]: string[]): Promise<void> {
  const client = createClient<paths>({ baseUrl: address });
  const created = given(await client.POST("/images", { body: { filename: "types.jpg", metadata: { album: "clients" } }, params: { header: { "Idempotency-Key": "types-1" } } }));
  const sent = await fetch(created.upload!.url, { method: "PUT", body: readFileSync(photo) });
  if (!sent.ok) throw new Error(`upload: ${sent.status}`);
  const path = { image_id: created.id };
  const image = given(await client.GET("/images/{image_id}", { params: { path, query: { wait: 20 } } }));
  if (image.status !== "labelled") throw new Error(image.status);
  const found = given(await client.GET("/images", { params: { query: { q: "cat & status:labelled", limit: 200 } } }));
  const corrected = given(await client.PUT("/images/{image_id}/labels/{name}", { params: { path: { ...path, name: "Types" } } }));
  const made = given(await client.POST("/subscriptions", { body: { url: hook, filter: "cat" } }));
  const file = given(await client.GET("/export", { params: { query: { q: "cat", format: "jsonl" } } }));
  const lines = (await (await fetch(file.url)).text()).split("\n").length - 1;
  const names = (labels: Array<{ name: string }>) => labels.map(({ name }) => name);
  console.log(JSON.stringify({ image: image.id, labels: names(image.labels), found: found.images.map(({ id }) => id), corrected: names(corrected.labels), secret: made.secret, lines }));
}

main(process.argv.slice(2)).catch((error) => { console.error(error); process.exit(1); });
