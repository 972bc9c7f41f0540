// What openapi-generator makes for fetch: through create, upload, wait, search, correct, subscribe, export.
import { readFileSync } from "node:fs";
import { Configuration, CurationApi, ExportFormat, ImageStatus, ImagesApi, SubscriptionsApi } from "./fetch";

async function main([address, photo, hook]: string[]): Promise<void> {
  const configuration = new Configuration({ basePath: address });
  const images = new ImagesApi(configuration);
  const submission = { filename: "fetch.jpg", metadata: { album: "clients" } };
  const created = await images.createImage({ submission, idempotencyKey: "fetch-1" });
  const sent = await fetch(created.upload!.url, { method: "PUT", body: readFileSync(photo) });
  if (!sent.ok) throw new Error(`upload: ${sent.status}`);
  const image = await images.showImage({ imageId: created.id, wait: 20 });
  if (image.status !== ImageStatus.Labelled) throw new Error(image.status);
  const found = await images.listImages({ q: "cat & status:labelled", limit: 200 });
  const corrected = await new CurationApi(configuration).putLabel({ imageId: image.id, name: "Fetch" });
  const made = await new SubscriptionsApi(configuration).createSubscription({ newSubscription: { url: hook, filter: "cat" } });
  const file = await images.exportImages({ q: "cat", format: ExportFormat.Jsonl });
  const lines = (await (await fetch(file.url)).text()).split("\n").length - 1;
  const names = (labels: Array<{ name: string }>) => labels.map(({ name }) => name);
  console.log(JSON.stringify({ image: image.id, labels: names(image.labels), found: found.images.map(({ id }) => id), corrected: names(corrected.labels), secret: made.secret, lines }));
}

main(process.argv.slice(2)).catch((error) => { console.error(error); process.exit(1); });
