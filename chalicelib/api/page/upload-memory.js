/** The queue of uploads, remembered over a reload: which files were chosen, and which were sent. */

const KEY = "sightline-uploads";
const PAUSE = 1000; // milliseconds between two writings
const SLICE = 10; // milliseconds in which sizes are asked for in one go: browsers go to the disk for each and wait

/** What tells a file from others without reading it. */
const mark = ({ file, name }) => [name, file.size, file.lastModified].join("\n");

export class UploadMemory {
  #timer = 0;
  #marks = new WeakMap(); // by file
  #sent;
  #unsent;

  /** `now()` gives the uploads that are to be kept. */
  constructor(now) {
    this.now = now;
    const { sent = [], unsent = [] } = read();
    [this.#sent, this.#unsent] = [new Set(sent), new Set(unsent)];
    addEventListener("pagehide", () => this.#write());
  }

  /** How many files of an earlier visit were not sent. */
  get missing() {
    return this.#unsent.size;
  }

  /** Of files that are handed in, those that an earlier visit has not sent. */
  async fresh(files) {
    if (!this.missing) return files;
    await this.#mark(files);
    const marked = files.map((one) => [one, this.#marks.get(one.file)]);
    const open = marked.filter(([, known]) => !this.#sent.has(known));
    for (const [, known] of marked) this.#unsent.delete(known);
    return open.map(([one]) => one);
  }

  /** Keep these uploads too, by and by. */
  async take(uploads) {
    await this.#mark(uploads.filter(({ file }) => file));
    this.changed();
  }

  async #mark(files) {
    let end = 0;
    for (const one of files.filter(({ file }) => !this.#marks.has(file))) {
      if (performance.now() >= end) {
        await new Promise((resolve) => setTimeout(resolve));
        end = performance.now() + SLICE;
      }
      this.#marks.set(one.file, mark(one));
    }
  }

  /** Write soon what there is now. */
  changed() {
    this.#timer ||= setTimeout(() => this.#write(), PAUSE);
  }

  /** Forget what was not sent. */
  forget() {
    this.#sent.clear();
    this.#unsent.clear();
    this.#write();
  }

  #write() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const files = this.now().filter((one) => this.#marks.has(one.file));
    const unsent = [...this.#unsent, ...files.filter((one) => one.open).map((one) => this.#marks.get(one.file))];
    const sent = [...this.#sent, ...files.filter((one) => !one.open).map((one) => this.#marks.get(one.file))];
    try {
      if (unsent.length) localStorage.setItem(KEY, JSON.stringify({ sent, unsent }));
      else localStorage.removeItem(KEY);
    } catch {
      localStorage.removeItem(KEY); // there is no room: rather nothing than half of it
    }
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
