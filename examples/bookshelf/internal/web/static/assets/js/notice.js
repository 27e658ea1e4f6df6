// Notices about errors and decisions, with buttons for the next action.

import { el, icon } from "./dom.js";

/**
 * showNotice replaces the content of a slot and returns the element. actions are
 * {label, run, primary}. The first button is disabled and counts down for wait
 * seconds.
 * @param {HTMLElement} slot
 * @param {{kind?: "error"|"info", title: string, detail?: string, actions?: object[], wait?: number}} content
 */
export function showNotice(slot, { kind = "info", title, detail, actions = [], wait = 0 }) {
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

/** clearSlot empties a slot. */
export function clearSlot(slot) {
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
