/** Questions to the person, each in a dialog. */

import { button, make } from "./dom.js";

/** Ask for a token; the answer is one, or an error if the person has none. */
export function askForToken(why) {
  const field = make("input", { id: "token", type: "password", autocomplete: "off", required: true, "aria-describedby": "token-why" });
  return asked({
    heading: "This service wants a token",
    content: [
      make("p", { id: "token-why" }, why || "Ask whoever runs it for one. It is kept for this tab only."),
      make("label", { for: "token" }, "Token"),
      field,
    ],
    yes: "Go on",
    answer: () => field.value.trim(),
  }).then((token) => token ?? Promise.reject(new Error("Without a token nothing can be shown.")));
}

/** Ask to confirm what cannot be undone; whether it was confirmed. */
export function confirmed(heading, text, yes) {
  return asked({ heading, content: [make("p", {}, text)], yes, answer: () => true }).then(Boolean);
}

/** Show a secret that is shown only once. */
export function shownOnce(heading, text, secret) {
  const field = make("input", { id: "secret", readonly: true, value: secret, "aria-label": heading });
  field.addEventListener("focus", () => field.select());
  const copy = button("Copy", async () => {
    await navigator.clipboard.writeText(secret);
    copy.textContent = "Copied";
  });
  return asked({ heading, content: [make("p", {}, text), make("div", { class: "row" }, field, copy)], yes: "Done", answer: () => true, no: false });
}

function asked({ heading, content, yes, answer, no = true }) {
  const { promise, resolve } = Promise.withResolvers();
  const submit = (event) => (event.preventDefault(), (dialog.returnValue = "yes"), dialog.close());
  const dialog = make(
    "dialog",
    { class: "card", "aria-labelledby": "question" },
    make("h2", { id: "question" }, heading),
    make("form", { submit }, ...content, make("p", { class: "row end" }, no && button("Cancel", () => dialog.close()), make("button", { class: "primary" }, yes))),
  );
  dialog.addEventListener("close", () => (resolve(dialog.returnValue === "yes" ? answer() : undefined), dialog.remove()));
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}
