// The menu in the header that shows who the person is. In the embedded mode, it
// switches to somebody else: the page is then loaded again, so that nothing of
// the person before stays on it. With an issuer, it signs out, and a sign-in that
// ends in the middle of the work is repeated in another tab.

import { explainError, json, post, session } from "./api.js";
import { byId, el, icon, setVisible } from "./dom.js";
import { announceSignOut, begin, end, onOtherTab } from "./entrance.js";
import { clearSlot, showNotice } from "./notice.js";
import { formatIdentity } from "./session.js";

const people = [
  { tenant: "demo", user: "anonymous", roles: [] },
  { tenant: "acme", user: "ann", roles: [] },
  { tenant: "acme", user: "lee", roles: ["librarian"] },
  { tenant: "acme", user: "oda", roles: ["ops"] },
  { tenant: "globex", user: "bob", roles: [] },
];

const roleNames = { librarian: "librarian", ops: "operations" };

const describeRoles = (roles) => roles.map((role) => roleNames[role] ?? role).join(", ");

/** Menu is the button with the person's name, and its panel. */
class Menu {
  #box = byId("identity");
  #button;
  #panel = el("div", { class: "who-panel", id: "who-panel", role: "group", "aria-label": "Who you are", hidden: true });
  #error = el("p", { class: "who-error", role: "alert" });

  /** show shows the person of the session. */
  show() {
    const { who } = session;
    this.#button = el(
      "button",
      {
        type: "button",
        class: "who",
        "aria-expanded": "false",
        "aria-controls": "who-panel",
        onclick: () => this.#toggle(this.#panel.hidden),
      },
      el("span", { class: "visually-hidden" }, "You are "),
      el("span", { class: "who-name" }, el("span", { class: "who-tenant" }, `${who.tenant}/`), who.name || who.user),
      icon("open"),
    );
    this.#panel.replaceChildren(...this.#describe(), this.#error);
    this.#box.replaceChildren(this.#button, this.#panel);
    document.addEventListener("keydown", (e) => {
      if (e.key !== "Escape" || this.#panel.hidden) return;
      this.#toggle(false);
      this.#button.focus();
    });
    document.addEventListener("pointerdown", (e) => {
      if (!this.#box.contains(e.target)) this.#toggle(false);
    });
    this.#box.addEventListener("focusout", (e) => {
      if (e.relatedTarget && !this.#box.contains(e.relatedTarget)) this.#toggle(false);
    });
  }

  #toggle(open) {
    setVisible(this.#panel, open);
    this.#button.setAttribute("aria-expanded", String(open));
    this.#error.textContent = "";
  }

  #describe() {
    const { who, kind } = session;
    const roles = describeRoles(who.roles);
    const me = el(
      "p",
      {},
      "You are ",
      el("strong", {}, who.name || who.user),
      " of the tenant ",
      el("strong", {}, who.tenant),
      roles ? `, with the role ${roles}.` : ".",
    );
    if (kind === "issuer") {
      const where = `You are signed in at ${new URL(session.issuer).host}.`;
      return [
        me,
        el("p", { class: "hint" }, where),
        el("button", { type: "button", class: "button", onclick: () => this.#signOut() }, "Sign out"),
      ];
    }
    if (kind !== "choice") return [me];
    return [
      me,
      el(
        "p",
        { class: "hint" },
        "This is a demonstration: nobody asks for a password. A tenant never sees the books of another one.",
      ),
      el(
        "ul",
        { class: "who-people", "aria-label": "Continue as" },
        people.map((person) => this.#offer(person)),
      ),
      this.#drawForm(),
    ];
  }

  #offer(person) {
    const isMe =
      formatIdentity(person) === formatIdentity(session.who) && String(person.roles) === String(session.who.roles);
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: "who-person", "aria-current": isMe && "true", onclick: () => this.#become(person) },
        el("span", {}, formatIdentity(person)),
        el("span", { class: "hint" }, isMe ? "this is you" : describeRoles(person.roles)),
      ),
    );
  }

  #drawForm() {
    const field = (name, label) =>
      el(
        "label",
        {},
        label,
        el("input", {
          name,
          type: "text",
          required: true,
          maxlength: 128,
          spellcheck: "false",
          autocapitalize: "none",
          autocomplete: "off",
        }),
      );
    const role = (name) =>
      el("label", { class: "who-role" }, el("input", { type: "checkbox", name: "role", value: name }), roleNames[name]);
    return el(
      "form",
      {
        class: "who-form",
        autocomplete: "off",
        onsubmit: (e) => {
          e.preventDefault();
          const data = new FormData(e.currentTarget);
          this.#become({
            tenant: data.get("tenant").trim(),
            user: data.get("user").trim(),
            roles: data.getAll("role"),
          });
        },
      },
      el("p", { class: "who-title" }, "Somebody else"),
      field("tenant", "Tenant"),
      field("user", "User"),
      el("p", { class: "who-roles", role: "group", "aria-label": "Roles" }, Object.keys(roleNames).map(role)),
      el("button", { type: "submit", class: "button" }, "Switch"),
    );
  }

  async #signOut() {
    if (this.#stays()) return;
    try {
      const url = await end();
      announceSignOut();
      location.assign(url);
    } catch (err) {
      this.#error.textContent = explainError(err);
    }
  }

  /** #stays reports whether the page has unsaved work, and says so. */
  #stays() {
    const stays = hasUnsaved();
    this.#error.textContent = stays ? "This page has changes that are not saved yet. Save them first." : "";
    return stays;
  }

  /** #become switches to another person. The server decides whether there can be such a person. */
  async #become(person) {
    if (this.#stays()) return;
    try {
      await json("/api/dev/token", post(person));
    } catch (err) {
      this.#error.textContent = explainError(err);
      return;
    }
    session.choose(person);
    for (const form of document.forms) form.reset(); // some browsers fill forms in again after a reload
    location.reload();
  }
}

/** hasUnsaved asks the page as the browser does before it closes it. */
function hasUnsaved() {
  return !dispatchEvent(new Event("beforeunload", { cancelable: true }));
}

// Back and Forward may show a page as it was, also that of another person. It is
// invisible until that is excluded.
addEventListener("pagehide", (e) => {
  if (e.persisted) document.documentElement.classList.add("unsure");
});
addEventListener("pageshow", async (e) => {
  if (!e.persisted) return;
  if (session.hasChanged()) {
    location.reload();
    return;
  }
  if (session.kind === "issuer" && (await session.isOver())) {
    location.replace("/sign-in");
    return;
  }
  document.documentElement.classList.remove("unsure");
});

const slot = el("div", { class: "identity-notice" });
document.querySelector(".top").after(slot);

/** enter goes to the issuer, and comes back to this page. */
async function enter() {
  clearSlot(slot);
  try {
    location.replace(await begin(location.pathname + location.search + location.hash));
  } catch (err) {
    const actions = [{ label: "Try again", primary: true, run: enter }];
    showNotice(slot, { kind: "error", title: "You are not signed in", detail: explainError(err), actions });
  }
}

let isLost = false; // requests need another sign-in

session.onLost = (why, who) => {
  if (why === "none") {
    enter();
    return;
  }
  isLost = true;
  if (why === "stranger") {
    showNotice(slot, {
      kind: "error",
      title: `${formatIdentity(who)} is signed in now`,
      detail: `This page belongs to ${formatIdentity(session.who)}. What you typed on it is still here.`,
      actions: [{ label: `Continue as ${formatIdentity(who)}`, run: () => location.assign("/") }],
    });
    return;
  }
  showNotice(slot, {
    kind: "error",
    title: "Your sign-in has ended",
    detail: "What you typed is still here. Sign in again in another tab, and continue on this one.",
    actions: [{ label: "Sign in again", primary: true, run: () => open("/sign-in#begin", "_blank") }],
  });
};

onOtherTab({
  async signedIn() {
    if (!isLost) return;
    try {
      await session.renew();
    } catch {
      return; // onLost has said why
    }
    isLost = false;
    showNotice(slot, { title: "You are signed in again", actions: [{ label: "Close", run: () => clearSlot(slot) }] });
  },
  signedOut: () => location.replace("/sign-in"),
});

/** draw shows the person, also if the server can be reached later only. */
async function draw(delay = 2000) {
  try {
    await session.ready();
    new Menu().show();
  } catch {
    setTimeout(() => draw(Math.min(delay * 2, 30_000)), delay); // the page itself explains why
  }
}
draw();
