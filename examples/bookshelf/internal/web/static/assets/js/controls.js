// Shows and enables the controls of a card for what is going on. A control that is off keeps the focus.

import { describeControls } from "./controlstate.js";
import { byId, setEnabled, setText, setVisible } from "./dom.js";

/** refreshControls shows the controls of a card. state is that of describeControls. */
export function refreshControls(state, card) {
  const entered = { isFilled: card.filled(), message: byId("message").value };
  const controls = describeControls(state, entered);
  showCard(controls.card, card);
  setVisible(byId("accept-row"), controls.accept.isVisible);
  setEnabled(byId("accept"), controls.accept.isEnabled);
  setText(byId("accept"), controls.accept.label);
  setVisible(byId("correct"), controls.message.isVisible);
  setEnabled(byId("send"), controls.message.canSend);
  setVisible(byId("pulse"), controls.isWorking);
  setVisible(byId("stop"), controls.stop.isVisible);
  setEnabled(byId("stop"), controls.stop.isEnabled);
}

function showCard({ isOpen, hasFields, absent, hint }, card) {
  card.lock(!isOpen);
  byId("card").classList.toggle("open", isOpen);
  setVisible(byId("fields"), hasFields);
  setVisible(byId("card-absent"), !hasFields);
  setText(byId("card-absent"), absent);
  setText(byId("card-hint"), hint);
}
