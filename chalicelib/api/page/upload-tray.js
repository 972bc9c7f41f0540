/** The tray of uploads: their progress, and why a file was not taken. */

import { announce } from "./announcements.js";
import { button, make } from "./dom.js";
import { count, many } from "./formats.js";

const STAYS = 6000; // milliseconds
const HEIGHT = 62; // pixels of a row, as the style sheet has it
const BEYOND = 3; // rows out of sight, on either side
const FIRST = ["failed", "refused", "known", "sending", "labelling", "waiting", "checking", "cancelled", "skipped", "labelled"];
const SAID = {
  checking: "Waiting",
  known: "Here already",
  skipped: "Here already",
  waiting: "Waiting",
  sending: "Uploading",
  labelling: "Being labelled …",
  labelled: "Labelled",
};

export class UploadTray {
  #rows = new Map();
  #order = [];
  #said = "";
  #frame = 0;
  #bar = make("progress", { max: "1", value: "0", "aria-label": "All uploads" });
  #title = make("h2");
  #list = make("ul", { "aria-label": "Files" });
  #window = make("div", { class: "window", tabindex: "-1" }, this.#list);
  #fold = button("List the files", () => this.#unfold(this.#window.hidden), { icon: "fold", class: "quiet fold", "aria-expanded": "true" });
  #none = button("Cancel all", () => this.uploads.cancelAll(), { class: "quiet" });
  #again = button("Try all again", () => this.uploads.retry(...this.uploads.retriable), { class: "quiet" });
  #left = make("p", { class: "muted" });
  #pause = make("p", { class: "row" });
  #missing = make("div", { class: "missing" });
  #known = make("div", { class: "missing" });

  /** `choose(what)` opens the browser's window for "files" or a "folder". */
  constructor(uploads, place, choose) {
    this.uploads = uploads;
    const clear = button("Close the list of uploads", () => uploads.clear(), { icon: "close", class: "quiet" });
    this.number = make("span");
    this.reason = make("span");
    this.#pause.append(this.reason, button("Try now", () => uploads.connection.resume()));
    this.#missing.append(
      make("p", {}, this.number),
      make("p", { class: "row" }, button("Choose the folder", () => choose("folder")), button("Choose photos", () => choose("files")), button("Forget them", () => (uploads.kept.forget(), this.render()))),
    );
    this.twice = make("span");
    this.#known.append(make("p", {}, this.twice), make("p", { class: "row" }, button("Skip them", () => uploads.decide(false)), button("Add copies", () => uploads.decide(true))));
    const about = [this.#pause, this.#missing, this.#known, this.#left];
    this.element = make("section", { class: "tray", "aria-label": "Uploads", hidden: true }, make("header", {}, this.#title, this.#again, this.#none, this.#fold, clear), this.#bar, ...about, this.#window);
    this.#window.addEventListener("scroll", () => this.#soon(), { passive: true });
    place.replaceWith(this.element);
    uploads.addEventListener("change", () => this.#soon());
    this.render();
  }

  /** Show the list of files, or only how far they are. */
  #unfold(yes) {
    this.#window.hidden = !yes;
    this.#fold.setAttribute("aria-expanded", String(yes));
    this.render();
  }

  /** A folder has thousands of files, and each says how far it is many times. */
  #soon() {
    this.#frame ||= requestAnimationFrame(() => ((this.#frame = 0), this.render()));
  }

  render() {
    const { all, left, kept, connection } = this.uploads;
    const sums = summed(all);
    this.element.hidden = !all.length && !left && !kept.missing;
    this.element.dataset.open = all.length - sums.over;
    this.#title.textContent = headline(sums);
    this.#none.hidden = sums.waiting + sums.sending + sums.checking + sums.known < 2;
    this.#fold.hidden = !all.length;
    this.#again.hidden = this.uploads.retriable.length < 2;
    this.#bar.hidden = !all.length;
    this.#bar.value = all.length ? sums.progress / all.length : 0;
    this.#left.hidden = !left;
    this.#left.textContent = `${many(left, "other file")} left out.`;
    this.#pause.hidden = !connection.paused || !sums.waiting;
    this.reason.textContent = connection.reason;
    this.#missing.hidden = !kept.missing;
    this.number.textContent = `${many(kept.missing, "photo")} of an earlier visit ${kept.missing === 1 ? "was" : "were"} not sent. Choose the same again: only what is missing is sent.`;
    this.#ask(sums);
    this.#show(all);
    this.#tell(all, sums);
  }

  /** What is here already is asked about once. */
  #ask({ known, all }) {
    const text = `${count(known)} of ${many(all, "photo")} ${known === 1 ? "is" : "are"} here already.`;
    if (known && this.#known.hidden) announce("known", text);
    this.#known.hidden = !known;
    this.twice.textContent = text;
  }

  /** Only the rows near the window are in the document; what did not work stands first. */
  #show(all) {
    if (!this.#window.matches(":hover, :focus-within") || this.#order.length !== all.length) this.#order = sorted(all);
    this.#list.style.height = `${HEIGHT * this.#order.length}px`;
    const first = Math.max(0, Math.floor(this.#window.scrollTop / HEIGHT) - BEYOND);
    const seen = Math.ceil((this.#window.clientHeight || 256) / HEIGHT) + 2 * BEYOND;
    const near = new Map(this.#order.slice(first, first + seen).map((upload, at) => [upload, first + at]));
    for (const [upload, row] of this.#rows) if (!near.has(upload)) this.#drop(upload, row);
    for (const [upload, place] of near) this.#row(upload).show(upload, place, all.length);
    const wanted = [...near.keys()].map((upload) => this.#rows.get(upload).element); // they are read in this order
    wanted.reduceRight((next, one) => (one.nextSibling !== next && !one.contains(document.activeElement) && this.#list.insertBefore(one, next), one), null);
  }

  /** Say sums, and of a single file its name. */
  #tell(all, sums) {
    const said = `${sums.over} of ${all.length}`;
    if (!sums.over || said === this.#said) return;
    this.#said = said;
    if (sums.labelled + sums.skipped === all.length && !this.uploads.left) setTimeout(() => this.#leave(all), STAYS);
    const [only] = all;
    announce("uploads", all.length === 1 ? `${only.name}: ${SAID[only.state] ?? only.reason}.` : `${headline(sums)}.`);
  }

  /** All went well: there is nothing more to read here. */
  #leave(all) {
    if (all === this.uploads.all && all.every((one) => ["labelled", "skipped"].includes(one.state))) this.uploads.clear();
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
    if (row.element.contains(document.activeElement) && this.#order.includes(upload)) return; // the focus must not fall
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

  show(upload, place, of) {
    const shown = [upload.state, upload.progress, upload.reason, place, of].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.style.translate = `0 ${HEIGHT * place}px`;
    this.element.setAttribute("aria-posinset", place + 1);
    this.element.setAttribute("aria-setsize", of);
    this.element.dataset.state = upload.state;
    this.#bar.value = progressOf(upload);
    this.#bar.hidden = upload.state !== "sending";
    this.#state.textContent = SAID[upload.state] ?? upload.reason;
    this.#state.title = upload.reason;
    this.cancel.hidden = !upload.open;
    this.retry.hidden = !upload.retriable;
  }
}

/** How many there are in each state, how far all of them are together, and how many are over. */
function summed(all) {
  const sums = { ...Object.fromEntries(FIRST.map((state) => [state, 0])), progress: 0, all: all.length };
  for (const one of all) {
    sums[one.state] += 1;
    sums.progress += progressOf(one);
  }
  sums.over = sums.failed + sums.refused + sums.cancelled + sums.labelled + sums.skipped;
  return sums;
}

function headline({ all, over, labelled, failed, refused, skipped }) {
  const bad = failed + refused;
  if (!all) return "Uploads";
  if (over < all) return `${count(over)} of ${many(all, "photo")} done${bad ? `, ${count(bad)} not accepted` : ""}`;
  if (skipped && labelled + skipped === over) return `${count(labelled)} labelled, ${count(skipped)} here already`;
  return over === labelled ? `${many(all, "photo")} labelled` : `${count(labelled)} labelled, ${count(all - labelled)} not`;
}

const sorted = (all) => FIRST.flatMap((state) => all.filter((one) => one.state === state));

/** Labelling is the rest of the way: a sent file is not done yet. */
function progressOf(upload) {
  return upload.over ? 1 : 0.9 * upload.progress;
}
