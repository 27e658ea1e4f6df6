// Functions that create elements. Strings become text nodes, never markup.

import { icons } from "./icons.js";

/**
 * el creates an element. Props that are functions named on… become listeners.
 * null, undefined and false are ignored. dataset is an object, and all other props
 * are attributes. Children are nodes or strings.
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

/** icon returns an icon. Screen readers ignore it. */
export function icon(name) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  const path = document.createElementNS(ns, "path");
  const common = {
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 2,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  };
  for (const [node, attributes] of [
    [svg, { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }],
    [path, { ...common, ...icons[name] }],
  ]) {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  }
  svg.append(path);
  return svg;
}

/** byId returns an element. It throws if the page does not have it. */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page does not have #${id}`);
  return node;
}

/** setVisible shows or hides an element. */
export function setVisible(node, visible = true) {
  node.hidden = !visible;
}

/**
 * setEnabled states whether a button can be pressed. Unlike a disabled one, it keeps the focus when it is off; onPress
 * ignores its presses then.
 */
export function setEnabled(button, isOn) {
  if (isOn) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
}

/** isEnabled reports whether a button can be pressed. */
export const isEnabled = (button) => !button.hasAttribute("aria-disabled");

/** onPress calls run when a button that is enabled is pressed. */
export function onPress(button, run) {
  button.addEventListener("click", () => isEnabled(button) && run());
}

/** setText sets a text only if it differs, so that live regions do not repeat it. */
export function setText(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** prefersReducedMotion reports whether the person prefers less motion. */
export function prefersReducedMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
