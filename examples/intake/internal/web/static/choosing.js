// The ways in which a person chooses files: the button, the drop zone and the made-up files.

import { fetchSample } from "./api.js";
import { byId, el, showError } from "./dom.js";

const samples = [
  "shipments.csv", "inventory.tsv", "purchase_orders.jsonl", "suppliers.csv", "bill_of_materials.json",
];

/** offerFiles makes the button, the drop zone and the made-up files call take with the files that are chosen. */
export function offerFiles(take) {
  for (const name of samples) byId("samples").append(el("li", {}, drawSample(name, take)));
  const input = byId("file");
  const takeChosen = () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    if (files.length > 0) take(files);
  };
  input.addEventListener("change", takeChosen);
  setTimeout(takeChosen); // what was chosen before the page was ready
  const drop = byId("drop");
  for (const type of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(type, (e) => {
      e.preventDefault();
      drop.classList.toggle("over", type === "dragover");
      if (type === "drop") take([...e.dataTransfer.files]);
    });
  }
}

function drawSample(name, take) {
  return el("button", { type: "button", class: "link", onClick: async () => {
    try {
      take([new File([await fetchSample(name)], name)]);
    } catch (err) {
      showError(err.message);
    }
  } }, name);
}
