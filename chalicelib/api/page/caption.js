/** A photo in words: its caption and alternative text, which a person may edit, and the lines read on it. */

import { announce } from "./announcements.js";
import { at, call } from "./api.js";
import { button, make } from "./dom.js";
import { tellTabs } from "./tabs.js";
import { complain, notify } from "./toasts.js";

const BY = { model: "by the model", template: "made of the labels", person: "by a person" };

export class CaptionText {
  #image = null;
  #shown = make("p", { class: "said" });
  #alt = make("p", { class: "muted" });
  #lines = make("ul", { class: "lines" });

  /** `changed(image)` is told when a person has written a caption. */
  constructor({ boxes, changed }) {
    Object.assign(this, { boxes, changed });
    this.edit = button("Edit the caption", () => this.#open(this.form.hidden), { "aria-expanded": "false" });
    this.back = button("Take it back", () => this.#send("DELETE"), { title: "Let the model's caption count again" });
    this.text = make("input", { id: "caption-text", maxlength: "500", "aria-label": "Caption" });
    this.alt = make("input", { id: "caption-alt", maxlength: "125", "aria-label": "Alternative text, for those who cannot see the photo" });
    const labelled = (word, input) => make("label", {}, make("span", {}, word), input);
    this.form = make("form", { class: "captioning", hidden: true, submit: (event) => (event.preventDefault(), this.#save()) }, labelled("Caption", this.text), labelled("Alternative text", this.alt), make("div", { class: "row" }, make("button", {}, "Save the caption"), this.back));
    this.read = make("div", {}, make("h3", {}, "Text"), this.#lines, button("Copy the text", () => this.copy(), { title: "Copy all lines (c)" }));
    this.element = make("section", { "aria-label": "Caption" }, make("h3", {}, "Caption"), this.#shown, this.#alt, this.edit, this.form, this.read);
  }

  clear() {
    this.#image = null;
    this.#open(false);
    this.#lines.replaceChildren();
  }

  /** Show an image's words; what a person is typing stays. */
  show(image) {
    if (this.#image?.id !== image.id) this.#open(false);
    this.#image = image;
    const { caption } = image;
    this.#shown.textContent = caption ? `${caption.text || caption.alt} (${BY[caption.source]})` : "None yet.";
    this.#shown.lang = caption?.language ?? "";
    this.#alt.textContent = caption?.alt && caption.alt !== caption.text ? `For those who cannot see it: ${caption.alt}` : "";
    this.#alt.lang = caption?.language ?? "";
    this.back.hidden = caption?.source !== "person";
    this.read.hidden = !this.lines.length;
    this.#lines.replaceChildren(...this.lines.map((line) => this.#row(line)));
  }

  /** The lines that were read on the photo. */
  get lines() {
    return (this.#image?.text?.detections ?? []).filter((one) => one.type === "line");
  }

  /** Put all lines on the clipboard. */
  async copy() {
    if (!this.lines.length) return announce("text", "There is no text.");
    try {
      await navigator.clipboard.writeText(this.lines.map((line) => line.text).join("\n"));
      return notify("The text was copied.");
    } catch (error) {
      return complain(error);
    }
  }

  #row(line) {
    const there = { name: line.text, instances: [{ box: line.box, confidence: line.confidence }] };
    const shows = { mouseenter: () => this.boxes.show(there), mouseleave: () => this.boxes.show(null), focusin: () => this.boxes.show(there), focusout: () => this.boxes.show(null) };
    return make("li", { ...shows, tabindex: "0" }, line.text);
  }

  #open(yes) {
    this.form.hidden = !yes;
    this.edit.setAttribute("aria-expanded", String(yes));
    if (!yes) return;
    this.text.value = this.#image?.caption?.text ?? "";
    this.alt.value = this.#image?.caption?.alt ?? "";
    this.text.focus();
  }

  #save() {
    const [text, alt] = [this.text.value.trim(), this.alt.value.trim()];
    if (!text && !alt) return this.text.focus();
    return this.#send("PUT", { ...(text && { text }), ...(alt && { alt }) });
  }

  async #send(method, body) {
    const { id } = this.#image;
    try {
      const image = await call(method, at`images/${id}/caption`, body);
      this.#open(false);
      this.changed(image);
      tellTabs("changed", [id]);
      announce("caption", method === "PUT" ? "The caption was saved." : "The caption was taken back.");
      this.edit.focus();
    } catch (error) {
      complain(error);
    }
  }
}
