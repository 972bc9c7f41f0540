/** Which images are picked: some by their ids, or everything that the search finds. */

export const ALL = "after:1970-01-01"; // the query that finds every image

export class Selection extends EventTarget {
  #picked = new Set();
  #last = null;
  #everything = false;
  #picking = false;

  constructor(library) {
    super();
    this.library = library;
  }

  /** How many are picked by their ids, or loaded where everything is. */
  get size() {
    return this.#everything ? this.library.ids.length : this.#picked.size;
  }

  /** Whether everything that is found is picked, loaded or not. */
  get everything() {
    return this.#everything;
  }

  /** Whether a touch picks, as somebody has begun to. */
  get picking() {
    return this.#picking || this.size > 0;
  }

  get ids() {
    return this.#everything ? this.library.ids : this.library.ids.filter((id) => this.#picked.has(id));
  }

  /** The query that finds them, where everything is picked. */
  get query() {
    return this.library.query || ALL;
  }

  has(id) {
    return this.#everything || this.#picked.has(id);
  }

  /** Begin to pick, or end it. */
  begin(yes = true) {
    this.#picking = yes;
    if (yes) this.#tell();
    else this.clear();
  }

  /** Pick an image or put it back; with `through`, pick all from the one before to this one. */
  pick(id, { through = false } = {}) {
    if (this.#everything) this.#onlyLoaded();
    if (through && this.#last) for (const one of this.#range(this.#last, id)) this.#picked.add(one);
    else if (!this.#picked.delete(id)) this.#picked.add(id);
    this.#last = id;
    this.#tell();
  }

  /** Pick everything that the search finds. */
  all() {
    this.#picked = new Set(this.library.ids);
    this.#everything = !this.library.complete;
    this.#tell();
  }

  clear() {
    this.#picked.clear();
    this.#last = null;
    this.#everything = this.#picking = false;
    this.#tell();
  }

  /** One is put back, and what has not been loaded cannot be told apart any more. */
  #onlyLoaded() {
    this.#picked = new Set(this.library.ids);
    this.#everything = false;
  }

  #range(from, to) {
    const { ids } = this.library;
    const [first, last] = [ids.indexOf(from), ids.indexOf(to)].sort((a, b) => a - b);
    return first < 0 ? [to] : ids.slice(first, last + 1);
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
