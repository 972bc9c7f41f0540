/** The queue of uploads as it outlives a reload: what was handed in, and what of it was sent. */

const KEY = "sightline-uploads";
const PAUSE = 1000; // milliseconds between two writings
const SLICE = 20; // files whose size is asked for in one go: browsers go to the disk for it and wait

/** What tells a file from others without reading it. */
const mark = ({ file, name }) => [name, file.size, file.lastModified].join("\n");

export class KeptQueue {
  #timer = 0;
  #marks = new WeakMap(); // by upload
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
  fresh(files) {
    if (!this.missing) return files;
    const open = files.filter((one) => !this.#sent.has(mark(one)));
    for (const one of files) this.#unsent.delete(mark(one));
    return open;
  }

  /** Keep these uploads too, by and by. */
  async take(uploads) {
    for (const [place, one] of uploads.filter(({ file }) => file).entries()) {
      if (place % SLICE === 0) await new Promise((resolve) => setTimeout(resolve));
      this.#marks.set(one, mark(one));
    }
    this.changed();
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
    const files = this.now().filter((one) => this.#marks.has(one));
    const unsent = [...this.#unsent, ...files.filter((one) => one.open).map((one) => this.#marks.get(one))];
    const sent = [...this.#sent, ...files.filter((one) => !one.open).map((one) => this.#marks.get(one))];
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
