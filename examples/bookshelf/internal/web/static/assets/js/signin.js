// The page /sign-in: it begins a sign-in at the issuer, and says why one has
// failed or ended.

import { explainError } from "./problem.js";
import { byId, setText, setVisible } from "./dom.js";
import { clearSlot, showNotice } from "./notice.js";
import { announceSignIn, begin, describe, fetchConfig } from "./entrance.js";

async function start(path) {
  clearSlot(byId("notice"));
  byId("go").disabled = true;
  try {
    location.assign(await begin(path));
  } catch (err) {
    byId("go").disabled = false;
    showNotice(byId("notice"), { kind: "error", title: "The sign-in could not begin", detail: explainError(err) });
  }
}

async function show() {
  const { title, lead, action, again } = describe(location.hash.slice(1));
  document.title = `${title} · Bookshelf`;
  setText(byId("title"), title);
  setText(byId("lead"), lead);
  if (location.hash === "#done") {
    announceSignIn();
    window.close(); // this tab was opened by another page of the bookshelf
    return;
  }
  try {
    const config = await fetchConfig();
    if (config.kind !== "issuer") {
      setText(byId("lead"), "Nobody has to sign in here.");
      return;
    }
    setText(byId("where"), `You sign in at ${new URL(config.issuer).host}.`);
  } catch (err) {
    showNotice(byId("notice"), {
      kind: "error",
      title: "The server does not answer",
      detail: explainError(err),
      actions: [{ label: "Try again", run: show }],
    });
    return;
  }
  clearSlot(byId("notice"));
  if (action === "") {
    start("/sign-in#done");
    return;
  }
  setText(byId("go"), action);
  setVisible(byId("go"));
  byId("go").onclick = () => start(again);
}

addEventListener("hashchange", show);
addEventListener("pageshow", (e) => {
  if (e.persisted) byId("go").disabled = false;
});
show();
