// What openapi-generator makes for axios: through create, upload, wait, search, correct, subscribe, export.
import { readFileSync } from "node:fs";
import axios from "axios";
import { Configuration, CurationApi, ExportFormat, ImageStatus, ImagesApi, SubscriptionsApi } from "./axios";

async function main([address, photo, hook]: string[]): Promise<void> {
  const configuration = new Configuration({ basePath: address });
  const images = new ImagesApi(configuration);
  const { data: created } = await images.createImage({ filename: "axios.jpg", metadata: { album: "clients" } }, "axios-1");
  await axios.put(created.upload!.url, readFileSync(photo), { headers: { "Content-Type": "" } });
  const { data: image } = await images.showImage(created.id, 20);
  if (image.status !== ImageStatus.Labelled) throw new Error(image.status);
  const { data: found } = await images.listImages("cat & status:labelled");
  const { data: corrected } = await new CurationApi(configuration).putLabel(image.id, "Axios");
  const { data: made } = await new SubscriptionsApi(configuration).createSubscription({ url: hook, filter: "cat" });
  const { data: file } = await images.exportImages("cat", undefined, undefined, undefined, undefined, ExportFormat.Jsonl);
  const lines = (await (await fetch(file.url)).text()).split("\n").length - 1;
  const names = (labels: Array<{ name: string }>) => labels.map(({ name }) => name);
  console.log(JSON.stringify({ image: image.id, labels: names(image.labels), found: found.images.map(({ id }) => id), corrected: names(corrected.labels), secret: made.secret, lines }));
}

main(process.argv.slice(2)).catch((error) => { console.error(error); process.exit(1); });
