// Shows and enables the controls of a card for what is going on.

import { byId, setText, setVisible } from "./dom.js";
import { describeCard } from "./outcome.js";

/**
 * refreshControls shows the controls of a card.
 * @param {{doing: string, absent: string, extracted: boolean, run: string}} state
 *   doing is "" (the person's turn), "sending", "reading", "halted" (failed, but may be retried), "saving", "accepted" or
 *   "closed"; absent is the text in place of the fields, or ""; extracted states that the card can be corrected and
 *   accepted; run is the id of the run that can be stopped, or "".
 */
export function refreshControls({ doing, absent, extracted, run }, card) {
  const isFree = doing === "" && extracted;
  const isOver = doing === "accepted" || doing === "closed";
  const inSight = absent === "" || doing === "reading";
  const isOpen = isFree && inSight;
  card.lock(!isOpen);
  byId("card").classList.toggle("open", isOpen);
  setVisible(byId("fields"), inSight);
  setVisible(byId("card-absent"), !inSight);
  setText(byId("card-absent"), absent);
  setText(byId("card-hint"), describeCard(doing, isOpen, inSight));
  setVisible(byId("accept-row"), inSight && !isOver);
  byId("accept").disabled = !isOpen || !card.filled();
  setText(byId("accept"), doing === "saving" ? "Saving the card…" : "Accept the card");
  byId("message").disabled = !isFree;
  byId("send").disabled = !isFree || byId("message").value.trim() === "";
  setVisible(byId("correct"), !isOver);
  setVisible(byId("pulse"), doing === "reading");
  setVisible(byId("stop"), doing === "reading" && run !== "");
  if (doing !== "reading") byId("stop").disabled = false;
}
