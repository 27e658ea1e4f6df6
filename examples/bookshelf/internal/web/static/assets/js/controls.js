// Shows and enables the controls of a card for what is going on.

import { byId, setText, setVisible } from "./dom.js";
import { describeCard } from "./outcome.js";

/**
 * refreshControls shows the controls of a card.
 * @param {{status: string, absent: string, extracted: boolean, run: string}} state
 *   status is that of the book, see bookstatus.js, and "ready" if it is unread; absent is the text in place of the
 *   fields, or ""; extracted states that the card can be corrected and accepted; run is the id of the run that can be
 *   stopped, or "".
 */
export function refreshControls({ status, absent, extracted, run }, card) {
  const isFree = status === "ready" && extracted;
  const isOver = status === "accepted" || status === "closed";
  const inSight = absent === "" || status === "reading";
  const isOpen = isFree && inSight;
  card.lock(!isOpen);
  byId("card").classList.toggle("open", isOpen);
  setVisible(byId("fields"), inSight);
  setVisible(byId("card-absent"), !inSight);
  setText(byId("card-absent"), absent);
  setText(byId("card-hint"), describeCard(status, isOpen, inSight));
  setVisible(byId("accept-row"), inSight && !isOver);
  byId("accept").disabled = !isOpen || !card.filled();
  setText(byId("accept"), status === "saving" ? "Saving the card…" : "Accept the card");
  byId("message").disabled = !isFree;
  byId("send").disabled = !isFree || byId("message").value.trim() === "";
  setVisible(byId("correct"), !isOver);
  setVisible(byId("pulse"), status === "reading");
  setVisible(byId("stop"), status === "reading" && run !== "");
  if (status !== "reading") byId("stop").disabled = false;
}
