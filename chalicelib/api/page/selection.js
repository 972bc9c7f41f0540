/** Which images are picked, to be edited together. */

export class Selection extends EventTarget {
  #picked = new Set();
  #last = null;

  constructor(library) {
    super();
    this.library = library;
  }

  get size() {
    return this.#picked.size;
  }

  get ids() {
    return this.library.ids.filter((id) => this.#picked.has(id));
  }

  has(id) {
    return this.#picked.has(id);
  }

  /** Pick an image or put it back; with `through`, pick all from the one before to this one. */
  pick(id, { through = false } = {}) {
    if (through && this.#last) for (const one of this.#range(this.#last, id)) this.#picked.add(one);
    else if (!this.#picked.delete(id)) this.#picked.add(id);
    this.#last = id;
    this.dispatchEvent(new Event("change"));
  }

  /** Pick all that has been fetched. */
  all() {
    this.#picked = new Set(this.library.ids);
    this.dispatchEvent(new Event("change"));
  }

  clear() {
    this.#picked.clear();
    this.#last = null;
    this.dispatchEvent(new Event("change"));
  }

  #range(from, to) {
    const { ids } = this.library;
    const [first, last] = [ids.indexOf(from), ids.indexOf(to)].sort((a, b) => a - b);
    return first < 0 ? [to] : ids.slice(first, last + 1);
  }
}
