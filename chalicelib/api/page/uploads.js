/** The queue of what is handed in: several at once, each with a state that the tray shows. */

import { refusal } from "./checks.js";
import { keep, read } from "./previews.js";
import { fetchFrom, send } from "./sending.js";
import { isFinal, watch } from "./watch.js";

const AT_ONCE = 3;

/** An upload: `state` is waiting, sending, labelling, labelled, failed, refused, broken or cancelled. */
class Upload {
  state = "waiting";
  progress = 0;
  reason = "";
  stop = new AbortController();

  constructor(name, { file = null, url = null }) {
    Object.assign(this, { name, file, url });
  }

  /** Whether it is still to be sent from here. */
  get open() {
    return this.state === "waiting" || this.state === "sending";
  }

  /** Whether nothing more happens to it by itself. */
  get over() {
    return !["waiting", "sending", "labelling"].includes(this.state);
  }
}

export class Uploads extends EventTarget {
  all = [];

  /** `library` shows what comes in. */
  constructor(library) {
    super();
    this.library = library;
  }

  /** Hand in files, `[{file, name}]`. */
  add(files) {
    this.#take(files.map(({ file, name }) => new Upload(name, { file })));
  }

  /** Hand in a photo of the web. */
  addUrl(url) {
    this.#take([new Upload(url, { url })]);
  }

  /** Call an upload off. */
  cancel(upload) {
    upload.stop.abort();
    this.#set(upload, { state: "cancelled", reason: "Cancelled." });
  }

  /** Call off all that is not with the service yet. */
  cancelAll() {
    for (const upload of this.all.filter((one) => one.open)) this.cancel(upload);
  }

  /** Whether something is lost if the page is left. */
  get busy() {
    return this.all.some((one) => one.open);
  }

  /** Try again what did not work. */
  retry(upload) {
    upload.stop = new AbortController();
    this.#set(upload, { state: "waiting", progress: 0, reason: "" });
    this.#next();
  }

  /** Forget what is over. */
  clear() {
    this.all = this.all.filter((one) => !one.over);
    this.#tell();
  }

  /** Forget everything, and send nothing more. */
  forget() {
    this.cancelAll();
    this.all = [];
    this.#tell();
  }

  #take(uploads) {
    this.all.push(...uploads);
    this.#tell();
    this.#next();
  }

  #next() {
    const sending = this.all.filter((one) => one.state === "sending").length;
    const ready = this.all.filter((one) => one.state === "waiting").slice(0, AT_ONCE - sending);
    for (const upload of ready) this.#send(upload).finally(() => this.#next());
  }

  async #send(upload) {
    this.#set(upload, { state: "sending" });
    const { signal } = upload.stop;
    let id = null;
    try {
      const reason = upload.file && (await refusal(upload.file));
      if (reason) return this.#set(upload, { state: "refused", reason });
      const announced = (image) => this.#announced(image, upload, (id = image.id));
      const progress = (fraction) => this.#set(upload, { progress: fraction });
      const image = upload.file
        ? await send(upload.file, upload.name, { announced, progress, signal })
        : await fetchFrom(upload.url, { signal });
      this.#sent(upload, image);
    } catch (error) {
      if (id) this.library.hide(id);
      if (!signal.aborted) this.#set(upload, { state: "broken", reason: error.message });
    }
  }

  async #announced(image, upload) {
    const preview = await read(upload.file);
    if (preview) keep(image.id, preview);
    if (upload.state === "sending") this.library.add({ ...image, status: "uploading" });
  }

  #sent(upload, image) {
    this.#set(upload, { state: "labelling", progress: 1 });
    this.library.add({ ...image, status: "labelling" });
    watch(image.id, (known) => {
      this.library.update(known);
      if (isFinal(known)) this.#set(upload, { state: known.status, reason: known.error?.detail ?? "" });
    });
  }

  #set(upload, changes) {
    Object.assign(upload, changes);
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
