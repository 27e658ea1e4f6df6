// Functions that create elements. Strings become text nodes, never markup.

/**
 * el creates an element. Props that are functions named on… become listeners. null, undefined and false are ignored;
 * all others are attributes. Children are nodes or strings.
 */
export function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2).toLowerCase(), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

/** byId returns an element. It throws if the page does not have it. */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page does not have #${id}`);
  return node;
}

/** announce adds a sentence to the live region for screen readers. */
export function announce(words) {
  if (!words) return;
  const region = byId("announcer");
  region.append(el("p", {}, words));
  while (region.childElementCount > 4) region.firstElementChild.remove();
}

/** showError shows a message near the chat, with a button if given, or removes it. */
export function showError(message, button) {
  const notice = message ? el("p", { class: "notice error", role: "alert" }, message, button && " ", button) : "";
  byId("notice").replaceChildren(notice);
}
