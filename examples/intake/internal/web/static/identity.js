// Who one is. Without an issuer, a menu of made-up people shows what each of them can see.

import { requestToken, setToken } from "./api.js";
import { byId, el, showError } from "./dom.js";

const people = [
  { label: "Ann, steward of acme", tenant: "acme", user: "ann", roles: ["steward"] },
  { label: "Ben of acme", tenant: "acme", user: "ben", roles: [] },
  { label: "Eve of globex", tenant: "globex", user: "eve", roles: [] },
];

/** drawIdentity shows who one is. After a change it calls changed. */
export function drawIdentity(me, changed) {
  const found = people.findIndex((p) => p.tenant === me.tenant && p.user === me.user);
  const isAnonymous = me.tenant === "demo" && me.user === "anonymous";
  if (found < 0 && !isAnonymous) { // signed in elsewhere
    byId("identity").replaceChildren(el("p", { class: "hint" }, `${me.user} of ${me.tenant}`));
    return;
  }
  const select = el("select", { id: "person", onChange: async () => {
    const person = people[Number(select.value)];
    try {
      setToken(person ? (await requestToken(person.tenant, person.user, person.roles)).token : "");
      changed();
    } catch (err) {
      showError(err.status === 404 ? "This server does not have made-up people." : err.message);
    }
  } },
    el("option", { value: "-1", selected: isAnonymous }, "Nobody in particular, of demo"),
    people.map((p, i) => el("option", { value: i, selected: i === found }, p.label)));
  byId("identity").replaceChildren(el("label", { for: "person", class: "hint" }, "You are "), select);
}
