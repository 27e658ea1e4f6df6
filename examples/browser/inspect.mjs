// What each state of a page must hold: no violation found by axe, in light and dark; no horizontal scrolling; and on a
// touch screen, targets of 44 px.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Inspector collects what it finds in the states of a tour.
export class Inspector {
  #states = new Map(); // by finding

  /** findings returns what was found, each once, with the states in which it was. */
  get findings() {
    return [...this.#states].map(([finding, states]) => `${finding} (${[...states].join("; ")})`);
  }

  #add(finding, state) {
    if (!this.#states.has(finding)) this.#states.set(finding, new Set());
    this.#states.get(finding).add(state);
  }

  /** look inspects the page in its present state. */
  async look(page, state) {
    await page.evaluate(axe);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const violations = await page.evaluate(async () => {
        const { violations } = await axe.run(document, { resultTypes: ["violations"] });
        return violations.flatMap(({ id, nodes }) =>
          nodes.map((n) => `${id}: ${n.target} ${n.failureSummary.split("\n")[1]?.trim()}`),
        );
      });
      for (const v of violations) this.#add(v, `${state}, ${colorScheme}`);
    }
    for (const f of await page.evaluate(measure)) this.#add(f, state);
  }
}

// measure runs in the page.
function measure() {
  const found = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) {
    const wide = [...document.querySelectorAll("main *, header *")].filter(
      (n) => n.getBoundingClientRect().right > clientWidth + 1,
    );
    found.push(
      `scrolls to ${scrollWidth} px: ${wide
        .slice(0, 3)
        .map((n) => n.outerHTML.slice(0, 90))
        .join(" ")}`,
    );
  }
  for (const node of document.querySelectorAll(".origin")) {
    if (node.scrollWidth > node.clientWidth || node.scrollHeight > node.clientHeight + 1)
      found.push(`cuts “${node.textContent}” off`);
  }
  for (const box of document.querySelectorAll(".ledger")) {
    if (!box.checkVisibility()) continue;
    const end = Math.max(...[...box.children].map((child) => child.getBoundingClientRect().bottom));
    const rest = Math.round(box.getBoundingClientRect().bottom - end);
    if (rest > 32) found.push(`leaves ${rest} px below the list of uploads`);
  }
  if (!matchMedia("(pointer: coarse)").matches) return found;
  for (const node of document.querySelectorAll("a[href], button, input, select, textarea, summary, [role=button]")) {
    if (node.disabled || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (node.matches("a") && getComputedStyle(node).display === "inline") continue; // in a sentence
    if (document.querySelector("dialog[open]") && !node.closest("dialog[open]")) continue; // cannot be reached
    const label = node.labels?.[0];
    const isStretched = getComputedStyle(node, "::after").position === "absolute"; // a link over its whole row
    const target = isStretched
      ? node.offsetParent
      : node.matches(".visually-hidden, [type=checkbox]") && label
        ? label
        : node;
    const { width, height, bottom } = target.getBoundingClientRect();
    if (bottom + scrollY < 0) continue; // the skip link, until it has the focus
    if (width < 43.5 || height < 43.5)
      found.push(`a target of ${Math.round(width)} × ${Math.round(height)} px: ${node.outerHTML.slice(0, 110)}`);
  }
  return found;
}
