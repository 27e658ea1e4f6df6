// What went wrong or needs a decision, in words, with the ways on.

import { el, icon } from "./dom.js";

/**
 * notice fills a slot, replacing what it held, and returns the element.
 * actions are {label, run, primary}; while wait (in seconds) runs down, the
 * first of them counts and cannot be pressed.
 * @param {HTMLElement} slot
 * @param {{kind?: "error"|"info", title: string, detail?: string, actions?: object[], wait?: number}} content
 */
export function notice(slot, { kind = "info", title, detail, actions = [], wait = 0 }) {
  const buttons = actions.map(({ label, run, primary }) =>
    el("button", { type: "button", class: primary ? "button primary small" : "button small", onclick: run }, label),
  );
  const box = el(
    "div",
    { class: `notice ${kind}`, role: kind === "error" ? "alert" : "status" },
    icon(kind === "error" ? "warning" : "info"),
    el(
      "div",
      { class: "notice-body" },
      el("p", { class: "notice-title" }, title),
      detail && el("p", { class: "notice-detail" }, detail),
      buttons.length > 0 && el("p", { class: "notice-actions" }, buttons),
    ),
  );
  slot.replaceChildren(box);
  if (wait > 0 && buttons.length > 0) countDown(buttons[0], actions[0].label, wait);
  return box;
}

/** clear empties a slot. */
export function clear(slot) {
  slot.replaceChildren();
}

function countDown(button, label, seconds) {
  const end = Date.now() + seconds * 1000;
  button.disabled = true;
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left <= 0) {
      button.disabled = false;
      button.textContent = label;
      return;
    }
    button.textContent = `${label} in ${left < 90 ? `${left} s` : `${Math.ceil(left / 60)} min`}`;
    if (button.isConnected) setTimeout(tick, 250);
  };
  tick();
}
