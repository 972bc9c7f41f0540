/** The queue of uploads: several at once, each with a state that the tray shows. */

import { at, call } from "./api.js";
import { refusal } from "./file-checks.js";
import { Connection } from "./connection.js";
import { UploadMemory } from "./upload-memory.js";
import { duplicatesAmong, nextBatch } from "./duplicates.js";
import { keep, read } from "./upload-previews.js";
import { fetchFrom, send } from "./upload.js";
import { tellTabs } from "./tabs.js";
import { isFinal, watch } from "./label-watch.js";

const AT_ONCE = 3;
const FORMS = 2; // times that a form which is refused is asked for anew: it may have been too old

/**
 * An upload: `state` is checking (whether it is here already), known (it is, and it is to be said what then), waiting,
 * sending, labelling, labelled, failed (the service could not use the file), refused (it was not taken), skipped or
 * cancelled.
 */
class Upload {
  state = "checking";
  progress = 0;
  reason = "";
  stop = new AbortController();
  key = crypto.randomUUID();
  forms = 0;
  image = null;
  hopeless = false; // the same file will be refused again

  constructor(name, { file = null, url = null }) {
    Object.assign(this, { name, file, url });
  }

  /** Whether it is still to be sent from here. */
  get open() {
    return ["checking", "known", "waiting", "sending"].includes(this.state);
  }

  /** Whether nothing more happens to it by itself. */
  get over() {
    return !this.open && this.state !== "labelling";
  }

  /** Whether it may be tried again. */
  get retriable() {
    return this.state === "cancelled" || (this.state === "refused" && !this.hopeless);
  }
}

export class UploadQueue extends EventTarget {
  #unchecked = [];
  #checking = false;
  #waiting = [];
  #sending = 0;
  #copies = null; // whether copies of what is here are wanted, as soon as somebody has said so

  all = [];
  /** How many other files were in the folders. */
  left = 0;

  /** `library` shows what comes in. */
  constructor(library) {
    super();
    this.library = library;
    this.connection = new Connection(() => (this.#tell(), this.#next()));
    this.kept = new UploadMemory(() => this.all);
  }

  /** Hand in files, `[{file, name}]`, of which a folder had `left` others. */
  async add({ files, left }) {
    this.left += left;
    if (this.kept.missing) this.#copies ??= false; // only what is missing is wanted
    const fresh = await this.kept.fresh(files);
    this.#take(fresh.map(({ file, name }) => new Upload(name, { file })));
  }

  /** Hand in a photo of the web. */
  addUrl(url) {
    this.#take([new Upload(url, { url })]);
  }

  /** Cancel an upload, and delete the image that was announced. */
  cancel(upload) {
    upload.stop.abort();
    this.#set(upload, { state: "cancelled", reason: "Cancelled." });
    if (!upload.image) return;
    this.library.hide(upload.image.id);
    call("DELETE", at`images/${upload.image.id}`.with({ permanent: true })).catch(() => {}); // an upload nobody waits for any more
    Object.assign(upload, { image: null, key: crypto.randomUUID() });
  }

  /** Files that are here already, as long as nobody has said what then. */
  get known() {
    return this.all.filter((one) => one.state === "known");
  }

  /** Say whether copies of what is here are to be added: of all such files of the queue. */
  decide(copies) {
    this.#copies = copies;
    for (const upload of this.known) this.#settle(upload);
    this.#next();
  }

  /** Call off all that is not with the service yet. */
  cancelAll() {
    for (const upload of this.all.filter((one) => one.open)) this.cancel(upload);
  }

  /** Whether something is lost if the page is left. */
  get busy() {
    return this.all.some((one) => one.open);
  }

  /** What may be tried again. */
  get retriable() {
    return this.all.filter((one) => one.retriable);
  }

  /** Try again what did not work. */
  retry(...uploads) {
    for (const upload of uploads) {
      Object.assign(upload, { stop: new AbortController(), forms: 0 });
      this.#set(upload, { state: "waiting", progress: 0, reason: "" });
    }
    this.#waiting.unshift(...uploads);
    this.#next();
  }

  /** Forget what is over. */
  clear() {
    this.all = this.all.filter((one) => !one.over);
    this.left = 0;
    this.#copies = null;
    if (!this.all.length) this.kept.forget();
    this.#tell();
  }

  /** Forget everything, and send nothing more; what was announced and never comes, the service forgets by itself. */
  forget() {
    for (const upload of this.all.filter((one) => one.open)) {
      upload.stop.abort();
      upload.state = "cancelled";
    }
    this.all = [];
    this.left = 0;
    this.kept.forget();
    this.#tell();
  }

  #take(uploads) {
    this.all = [...this.all, ...uploads];
    this.#unchecked.push(...uploads);
    this.kept.take(uploads);
    this.#tell();
    this.#check();
  }

  /** What cannot be taken is turned down, what is new is sent, what is here already is asked about. */
  async #check() {
    if (this.#checking) return;
    this.#checking = true;
    for (let done = 0; this.#unchecked.length; ) {
      const some = this.#unchecked.splice(0, nextBatch(done)).filter((one) => one.state === "checking");
      for (const upload of some) {
        const reason = upload.file && (await refusal(upload.file));
        if (reason && upload.state === "checking") this.#set(upload, { state: "refused", reason, hopeless: true });
      }
      const known = await duplicatesAmong(some.filter((one) => one.state === "checking" && one.file).map((one) => one.file));
      for (const upload of some.filter((one) => one.state === "checking")) this.#settle(upload, known.has(upload.file));
      done += some.length;
      this.#next();
    }
    this.#checking = false;
  }

  #settle(upload, known = true) {
    if (known && this.#copies === null) return this.#set(upload, { state: "known" });
    if (known && !this.#copies) return this.#set(upload, { state: "skipped" });
    this.#waiting.push(upload);
    return this.#set(upload, { state: "waiting" });
  }

  #next() {
    while (this.#sending < AT_ONCE && this.#waiting.length && !this.connection.paused) {
      const upload = this.#waiting.shift();
      if (upload.state !== "waiting") continue; // it was cancelled
      this.#sending += 1;
      this.#send(upload).finally(() => ((this.#sending -= 1), this.#next()));
    }
  }

  async #send(upload) {
    this.#set(upload, { state: "sending" });
    try {
      const { key, stop } = upload;
      const about = { key, signal: stop.signal, announced: (image) => this.#announced(image, upload), progress: (fraction) => this.#set(upload, { progress: fraction }) };
      const image = upload.file ? await send(upload.file, upload.name, about) : await fetchFrom(upload.url, about);
      this.connection.works();
      return this.#sent(upload, image);
    } catch (error) {
      return this.#notSent(upload, error);
    }
  }

  /** The connection's fault is waited for; the file's is said. */
  #notSent(upload, error) {
    if (upload.stop.signal.aborted) return;
    const outdated = error.status === 403 && (upload.forms += 1) <= FORMS;
    if (error.passes || outdated) {
      this.#set(upload, { state: "waiting", progress: 0 });
      this.#waiting.unshift(upload);
      if (error.passes) this.connection.failed();
      return;
    }
    if (upload.image) this.library.hide(upload.image.id);
    this.#set(upload, { state: "refused", reason: error.message });
  }

  async #announced(image, upload) {
    if (upload.image?.id === image.id) return;
    upload.image = image;
    const preview = await read(upload.file);
    if (preview) keep(image.id, preview);
    if (upload.state === "sending") this.library.add({ ...image, status: "uploading" });
  }

  #sent(upload, image) {
    this.#set(upload, { state: "labelling", progress: 1 });
    this.library.add({ ...image, status: "labelling" });
    watch(image.id, (known) => {
      this.library.update(known);
      if (!isFinal(known)) return;
      this.#set(upload, { state: known.status, reason: known.error?.detail ?? "" });
      tellTabs("came", [known.id]);
    });
  }

  #set(upload, changes) {
    const { open } = upload;
    Object.assign(upload, changes);
    this.#tell(open !== upload.open);
  }

  #tell(keep = true) {
    if (keep) this.kept.changed();
    this.dispatchEvent(new Event("change"));
  }
}
