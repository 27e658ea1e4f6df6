"use strict";
const field = document.getElementById("code");
// What a person types is brought into the form of a code: 7KQM-2XTB.
const tidy = (text) => text.toUpperCase().replace(/[^0-9A-Z]/g, "").replace(/^(.{4})(.+)$/, "$1-$2");
field.form.addEventListener("submit", () => {
  field.value = tidy(field.value);
});
// A scanned code is in the fragment, which is never sent by itself.
const useScanned = () => {
  const scanned = tidy(location.hash.slice(1));
  if (!/^.{4}-.{4}$/.test(scanned)) return;
  history.replaceState(null, "", location.pathname);
  field.value = scanned;
  field.form.requestSubmit();
};
addEventListener("hashchange", useScanned);
useScanned();
