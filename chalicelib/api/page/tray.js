/** The tray: what is being handed in, how far it has come, and why something was not taken. */

import { button, make } from "./dom.js";
import { announce } from "./announcing.js";
import { count, many } from "./words.js";

const STAYS = 6000; // milliseconds
const SAID = {
  waiting: "Waiting",
  sending: "Uploading",
  labelling: "Being labelled …",
  labelled: "Labelled",
};

export class Tray {
  #rows = new Map();
  #said = "";
  #frame = 0;
  #bar = make("progress", { max: "1", value: "0", "aria-label": "All uploads" });
  #title = make("h2");
  #list = make("ul");
  #none = button("Cancel all", () => this.uploads.cancelAll(), { class: "quiet" });

  constructor(uploads, place) {
    this.uploads = uploads;
    const clear = button("Close the list of uploads", () => uploads.clear(), { icon: "close", class: "quiet" });
    this.element = make(
      "section",
      { class: "tray", "aria-label": "Uploads", hidden: true },
      make("header", {}, this.#title, this.#none, clear),
      this.#bar,
      this.#list,
    );
    place.replaceWith(this.element);
    uploads.addEventListener("change", () => this.#soon());
  }

  /** A folder has thousands of files, and each says how far it is many times. */
  #soon() {
    this.#frame ||= requestAnimationFrame(() => ((this.#frame = 0), this.render()));
  }

  render() {
    const { all } = this.uploads;
    this.element.hidden = !all.length;
    this.#title.textContent = this.#headline(all);
    this.#none.hidden = all.filter((one) => one.open).length < 2;
    this.#bar.value = all.length ? all.reduce((sum, one) => sum + progressOf(one), 0) / all.length : 0;
    for (const upload of all) this.#row(upload).update(upload);
    for (const [upload, row] of this.#rows) if (!all.includes(upload)) this.#drop(upload, row);
    this.#tell(all);
  }

  #headline(all) {
    const open = all.filter((one) => !one.over).length;
    if (open) return `${count(all.length - open)} of ${many(all.length, "photo")} done`;
    const bad = all.filter((one) => one.state !== "labelled").length;
    return bad ? `${count(all.length - bad)} labelled, ${count(bad)} not` : `${many(all.length, "photo")} labelled`;
  }

  /** Say it when a file is over, not at every step. */
  #tell(all) {
    const over = all.filter((one) => one.over);
    const said = `${over.length} of ${all.length}`;
    if (!over.length || said === this.#said) return;
    this.#said = said;
    if (all.every((one) => one.state === "labelled")) setTimeout(() => this.#leave(all), STAYS);
    announce("uploads", `${this.#headline(all)}. ${over.at(-1).name}: ${SAID[over.at(-1).state] ?? over.at(-1).reason}`);
  }

  /** All went well: there is nothing more to read here. */
  #leave(all) {
    if (all === this.uploads.all && all.every((one) => one.state === "labelled")) this.uploads.clear();
  }

  #row(upload) {
    if (!this.#rows.has(upload)) {
      const row = new Row(upload, this.uploads);
      this.#rows.set(upload, row);
      this.#list.append(row.element);
    }
    return this.#rows.get(upload);
  }

  #drop(upload, row) {
    row.element.remove();
    this.#rows.delete(upload);
  }
}

class Row {
  #bar;
  #shown = "";
  #state = make("span", { class: "state" });

  constructor(upload, uploads) {
    this.#bar = make("progress", { max: "1", value: "0", "aria-label": `${upload.name}, sent` });
    this.cancel = button(`Cancel ${upload.name}`, () => uploads.cancel(upload), { icon: "close", class: "quiet" });
    this.retry = button(`Try ${upload.name} again`, () => uploads.retry(upload), { icon: "again", class: "quiet" });
    const name = make("span", { class: "name", title: upload.name }, upload.name);
    this.element = make("li", {}, name, this.cancel, this.retry, this.#bar, this.#state);
  }

  update(upload) {
    const shown = [upload.state, upload.progress, upload.reason].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.dataset.state = upload.state;
    this.#bar.value = progressOf(upload);
    this.#bar.hidden = upload.over;
    this.#state.textContent = SAID[upload.state] ?? upload.reason;
    this.cancel.hidden = !upload.open;
    this.retry.hidden = !["broken", "cancelled"].includes(upload.state);
  }
}

/** Labelling is the rest of the way: a sent file is not done yet. */
function progressOf(upload) {
  return upload.over ? 1 : 0.9 * upload.progress;
}
