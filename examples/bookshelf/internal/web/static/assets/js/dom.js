// The one way in which the pages make elements. Texts become text nodes; there
// is no path from a string to markup.

/**
 * el makes an element. Props that are functions named on… become listeners;
 * class, dataset and aria-… are set as such; null, undefined and false are left
 * out; everything else is an attribute. Children are nodes or texts.
 */
export function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "dataset") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

/** icon draws one of the symbols in icons.svg; it says nothing to a screen reader. */
export function icon(name) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(ns, "use");
  use.setAttribute("href", `/assets/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** byId finds an element that the page must have. */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no #${id}`);
  return node;
}

/** show reveals or hides; what is hidden is gone for everybody. */
export function show(node, visible = true) {
  node.hidden = !visible;
}

/** text sets a text only if it differs, so that live regions stay quiet. */
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** prefersStill says that the reader of the page asked for less motion. */
export function prefersStill() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
