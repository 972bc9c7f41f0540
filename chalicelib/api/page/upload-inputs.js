/** The ways to add photos: the dialog, dropping anywhere, and pasting. */

import { button, make } from "./dom.js";
import { addressIn, filesOf, picked } from "./file-sources.js";

/** Open every way in; the answer opens the dialog, or the browser's own window for "files" or a "folder". */
export function openUploadInputs(uploads) {
  const dialog = chooser(uploads);
  document.body.append(dialog);
  const veil = make("div", { class: "veil", hidden: true }, make("p", {}, "Drop photos or folders to add them"));
  document.body.append(veil);
  dropping(uploads, veil);
  document.addEventListener("paste", (event) => pasted(event, uploads));
  return (what) => (what ? dialog.querySelector(`#${what}`).click() : dialog.showModal());
}

function chooser(uploads) {
  const take = (event) => {
    uploads.add(picked([...event.target.files]));
    event.target.value = "";
    dialog.close();
  };
  const files = make("input", { type: "file", accept: "image/*,.heic,.heif,.avif,.arw,.cr2,.cr3,.dng,.nef,.nrw,.orf,.pef,.raf,.rw2,.srw", multiple: true, class: "unseen", id: "files", change: take });
  const folder = make("input", { type: "file", webkitdirectory: true, class: "unseen", id: "folder", change: take });
  const url = make("input", { type: "url", id: "photo-url", required: true, placeholder: "https://", maxlength: "2048" });
  const fetched = (event) => {
    event.preventDefault();
    uploads.addUrl(url.value);
    url.value = "";
    dialog.close();
  };
  const dialog = make(
    "dialog",
    { class: "card", "aria-labelledby": "adding" },
    make("header", {}, make("h2", { id: "adding" }, "Add photos"), button("Close", () => dialog.close(), { icon: "close", class: "quiet" })),
    make("p", { class: "muted" }, "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF, JPEG 2000 or a camera's raw file. You can also drop photos and folders anywhere on the page, or paste a picture."),
    make("p", { class: "row" }, make("label", { class: "button primary", for: "files" }, files, "Choose photos"), make("label", { class: "button", for: "folder" }, folder, "Choose a folder")),
    make("form", { class: "line", submit: fetched }, make("label", { for: "photo-url" }, "Or fetch one from the web"), make("div", { class: "row" }, url, make("button", {}, "Fetch"))),
  );
  return dialog;
}

function dropping(uploads, veil) {
  let depth = 0;
  const show = (yes) => (veil.hidden = !yes);
  addEventListener("dragenter", () => show((depth += 1)));
  addEventListener("dragleave", () => show((depth = Math.max(0, depth - 1))));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    show((depth = 0));
    const url = event.dataTransfer.files.length ? null : addressIn(event.dataTransfer);
    if (url) uploads.addUrl(url);
    else uploads.add(await filesOf(event.dataTransfer));
  });
}

async function pasted(event, uploads) {
  if (event.target.closest?.("input, textarea")) return;
  const url = addressIn(event.clipboardData);
  const taken = await filesOf(event.clipboardData);
  if (taken.files.length) uploads.add(taken);
  else if (url) uploads.addUrl(url);
}
