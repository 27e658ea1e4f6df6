// Who one is. Without an issuer, a menu of made-up people shows what each of them can see.

import { requestToken, setToken } from "./api.js";
import { byId, el } from "./dom.js";

const nobody = { name: "Anonymous", tenant: "demo", user: "anonymous" };
const people = [
  nobody,
  { name: "Ann", role: "steward", tenant: "acme", user: "ann", roles: ["steward"] },
  { name: "Ben", tenant: "acme", user: "ben", roles: [] },
  { name: "Eve", tenant: "globex", user: "eve", roles: [] },
];
const describe = ({ name, role, tenant }) => `${name}${role ? `, ${role}` : ""} of ${tenant}`;

const explanation = "This is a demonstration: nobody asks for a password. " +
  "A tenant never sees the files of another one.";

function drawPerson(person, isCurrent, become) {
  const onClick = () => become(person);
  return el("button", { type: "button", class: "who-person", "aria-current": isCurrent && "true", onClick },
    describe(person), isCurrent ? el("span", { class: "hint" }, "this is you") : "");
}

/** drawIdentity shows who one is. After a change it calls changed. */
export function drawIdentity(me, changed) {
  const box = byId("identity");
  const found = people.find((p) => p.tenant === me.tenant && p.user === me.user);
  if (!found) { // signed in elsewhere
    box.replaceChildren(el("p", { class: "hint" }, `${me.user} of ${me.tenant}`));
    return;
  }
  const error = el("p", { class: "flaw", role: "alert" });
  const panel = el("div", {
    class: "who-panel", id: "who-panel", role: "group", "aria-label": "Who you are", hidden: true,
  },
  el("p", { class: "hint" }, explanation),
  el("ul", { "aria-label": "Continue as" }, people.map((p) => el("li", {}, drawPerson(p, p === found, become)))),
  error);
  const button = el("button", {
    type: "button", class: "who", "aria-expanded": "false", "aria-controls": "who-panel",
    onClick: () => toggle(panel.hidden),
  },
  el("span", { class: "hint" }, "You are"), el("span", { class: "who-name" }, ` ${describe(found)}`),
  el("span", { "aria-hidden": "true" }, " ▾"));
  const toggle = (isOpen) => {
    panel.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    error.textContent = "";
  };
  async function become(person) {
    if (person === found) return toggle(false);
    try {
      setToken(person === nobody ? "" : (await requestToken(person.tenant, person.user, person.roles)).token);
      changed();
    } catch (err) {
      error.textContent = err.status === 404 ? "This server does not have made-up people." : err.message;
    }
  }
  box.replaceChildren(button, panel);
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape" || panel.hidden) return;
    toggle(false);
    button.focus();
  });
  document.addEventListener("pointerdown", (e) => !box.contains(e.target) && toggle(false));
  box.addEventListener("focusout", (e) => e.relatedTarget && !box.contains(e.relatedTarget) && toggle(false));
}
