/** Access: the token of this tab, and the list of tokens. */

import { at, call, forgetToken, hasToken } from "./api.js";
import { confirmed, shownOnce } from "./dialogs.js";
import { button, make } from "./dom.js";
import { loading } from "./loading.js";
import { complain, notify } from "./toasts.js";
import { moment } from "./formats.js";

const SCOPES = { read: "see photos", write: "add, change and delete photos", admin: "make and revoke tokens" };

/** The page, loaded each time it is shown; `forgotten()` is called when the token is forgotten. */
export function accessPage({ forgotten }) {
  const tab = thisTab(() => (forgotten(), all.forget()));
  const all = tokens(() => tab.tell());
  return make("div", { class: "page" }, make("h1", {}, "Access"), tab, all);
}

function thisTab(forgotten) {
  const state = make("p");
  const forget = button("Forget it", () => (forgetToken(), forgotten(), made.tell()));
  const made = make("section", { class: "card", "aria-labelledby": "this-tab" }, make("h2", { id: "this-tab" }, "This tab"), state, make("p", {}, forget));
  made.tell = () => {
    state.textContent = hasToken()
      ? "This tab has a token. It is sent with every request and forgotten when the tab closes."
      : "This tab has no token. Where the service wants one, it asks for it.";
    forget.hidden = !hasToken();
  };
  made.tell();
  return made;
}

function tokens(loaded) {
  let hidden = false; // as the token was forgotten
  const load = () => ((hidden = false), place.again().then(loaded));
  const give = make("p", {}, button("Give a token", () => load()));
  const none = make("p", {}, "This service asks nobody for a token, so there are none.");
  const place = loading(async () => (hidden ? give : (await wanted()) ? [form(load), await list(load)] : none));
  const made = make("section", { class: "cards", "aria-labelledby": "tokens" }, make("h2", { id: "tokens" }, "Tokens"), place);
  made.forget = () => ((hidden = true), place.again());
  return made;
}

/** Whether the service asks for tokens; where that cannot be told, asking for them will say what is wrong. */
const wanted = () => call("GET", at`health`).then(({ auth }) => auth !== "none", () => true);

async function list(load) {
  const { tokens: all } = await call("GET", at`tokens`);
  return make("ul", { class: "cards" }, ...all.map((one) => row(one, all, load)));
}

function form(load) {
  const boxes = Object.entries(SCOPES).map(([scope, does]) =>
    make("label", { class: "row" }, make("input", { type: "checkbox", name: "scopes", value: scope, checked: scope !== "admin" }), `${scope}: ${does}`),
  );
  const made = make(
    "form",
    { class: "card", "aria-label": "New token" },
    make("label", { class: "field" }, make("span", {}, "What it is for"), make("input", { name: "name", required: true, maxlength: "128" })),
    make("fieldset", {}, make("legend", {}, "It may"), ...boxes),
    make("label", { class: "field" }, make("span", {}, "Days that it is good for"), make("input", { name: "days", type: "number", min: "1", max: "3650", value: "365", required: true })),
    make("p", {}, make("button", { class: "primary" }, "Make a token")),
  );
  made.addEventListener("submit", (event) => (event.preventDefault(), create(made, load)));
  return made;
}

async function create(form, load) {
  const data = new FormData(form);
  try {
    const made = await call("POST", at`tokens`, { name: data.get("name"), days: Number(data.get("days")), scopes: data.getAll("scopes") });
    form.reset();
    load();
    await shownOnce("The token", "Keep it now: it is not shown again.", made.token);
  } catch (error) {
    complain(error);
  }
}

function row(token, all, load) {
  return make(
    "li",
    { class: "card" },
    make("h3", {}, named(token)),
    make("p", { class: "muted" }, `May ${token.scopes.join(", ")}. Made ${moment(token.created_at)}${maker(token, all)}, good until ${moment(token.expires_at)}.`),
    make("p", { class: "muted" }, token.last_used_at ? `Last used about ${moment(token.last_used_at)}.` : "Not used yet."),
    make("p", {}, button("Revoke", () => revoke(token, all, load), { class: "danger" })),
  );
}

/** With which token this one was made, by its name. */
function maker(token, all) {
  const known = all.find((one) => one.id === token.made_by);
  if (token.orphan) return " with a token that is no more";
  return known ? ` with ${named(known)}` : "";
}

const named = (token) => token.name || token.id;

async function revoke(token, all, load) {
  const children = all.filter((one) => one.made_by === token.id).map(named);
  const with_them = children.length ? ` What was made with it goes too: ${children.join(", ")}.` : "";
  if (!(await confirmed(`Revoke ${named(token)}?`, `Whoever uses it is shut out within a minute.${with_them}`, "Revoke"))) return;
  try {
    await call("DELETE", at`tokens/${token.id}`);
    notify("The token was revoked.");
    load();
  } catch (error) {
    complain(error);
  }
}
