// The question before something that cannot be undone.

import { byId, setText } from "./dom.js";

/**
 * confirmAction asks in the dialog of the page, and returns whether the person
 * agrees. Escape means no. Focus returns to where it was.
 * @param {{title: string, detail: string, label: string}} question
 * @returns {Promise<boolean>}
 */
export function confirmAction({ title, detail, label }) {
  const dialog = byId("confirm");
  setText(byId("confirm-title"), title);
  setText(byId("confirm-detail"), detail);
  setText(byId("confirm-yes"), label);
  return new Promise((resolve) => {
    byId("confirm-yes").onclick = () => dialog.close("yes");
    byId("confirm-no").onclick = () => dialog.close("no");
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
    dialog.returnValue = "no";
    dialog.showModal();
    byId("confirm-no").focus();
  });
}
