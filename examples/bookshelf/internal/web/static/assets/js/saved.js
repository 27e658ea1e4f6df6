// The panel with the place of the saved card, and the stamp.

import { byId, setText, setVisible } from "./dom.js";

/** showSaved shows where the card of an upload is saved, and its stamp unless the fields are hidden. */
export function showSaved(key, when, sessionID, hasFields) {
  setVisible(byId("saved"), true);
  setText(byId("saved-key"), key ?? "");
  setText(byId("copy-key"), "Copy");
  byId("shelf-link").href = `/shelf/${sessionID}`;
  byId("ops-link").href = `/ops#${sessionID}`;
  const date = byId("stamp-date");
  setText(date, when.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" }));
  date.dateTime = when.toISOString();
  setVisible(byId("stamp"), hasFields);
}

/** copyKey copies the key of the saved card. */
export async function copyKey() {
  try {
    await navigator.clipboard.writeText(byId("saved-key").textContent);
    setText(byId("copy-key"), "Copied");
  } catch {
    // Without permission, select the key, so that a person can copy it.
    getSelection().selectAllChildren(byId("saved-key"));
  }
}
