// The list of steps that a book takes, from the photo to the accepted card.

import { setText } from "./dom.js";

const steps = { photo: "Photo", reading: "Reading", review: "Your review", accepted: "Accepted" };

/** markStep shows the current step. A closed book does not go beyond it. */
export function markStep(current, closed = false) {
  const names = Object.keys(steps);
  const at = names.indexOf(current);
  for (const li of document.querySelectorAll(".steps li")) {
    const i = names.indexOf(li.dataset.step);
    setText(li, i === at && closed ? "Closed" : steps[li.dataset.step]);
    li.classList.toggle("closed", i === at && closed);
    li.classList.toggle("past", i < at || current === "accepted");
    if (i === at) li.setAttribute("aria-current", "step");
    else li.removeAttribute("aria-current");
  }
}
