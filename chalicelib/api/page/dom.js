/** Elements, made without markup: any text is shown as text. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. Of its attributes, a function listens to the event it is named for, `true` is an empty
 * attribute, and false, null or undefined is none. Children are nodes or text; nothing is left out.
 */
export function make(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for a part of a drawing. */
export function draw(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** A button with a word, or with an icon and a word for those who cannot see it. */
export function button(label, click, { icon, ...more } = {}) {
  const shown = icon ? symbol(icon) : label;
  const named = icon ? { "aria-label": label, title: more.title ?? label } : {};
  return make("button", { type: "button", click, ...named, ...more }, shown);
}

const PATHS = {
  bin: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v6M14 11v6",
  close: "M6 6l12 12M18 6 6 18",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  again: "M20 12a8 8 0 1 1-2.6-5.9M20 3v5h-5",
  tick: "M5 12.5l4.5 4.5L19 7.5",
  boxes: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5M9 9 4 4M15 9l5-5M15 15l5 5M9 15l-5 5",
  down: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  fold: "M6 9.5l6 6 6-6",
  find: "M10.5 17a6.5 6.5 0 1 1 0-13 6.5 6.5 0 0 1 0 13ZM15.5 15.5 20 20",
  broken: "M4 5h16v14H4zM4 15l4-4 3 3 2-2M15 9l2 2 2-2M17 11v4",
  wait: "M12 7v5l3 2M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18Z",
};

/** A small drawing, which says nothing to those who cannot see it. */
export function symbol(name) {
  const box = { class: "symbol", viewBox: "0 0 24 24", "aria-hidden": "true" };
  return draw("svg", box, draw("path", { d: PATHS[name] }));
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}
