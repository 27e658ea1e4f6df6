// The focus survives what the page does: if the element that has it is hidden or removed, another one gets it. Without
// that, the next press of Tab begins at the top of the page, and a screen reader is silent.

/** isInSight reports whether an element is in the page and shown. */
const isInSight = (node) => node.isConnected && node.checkVisibility();

/**
 * guardFocus watches the elements in root. heirs lists, for a part of the page, the elements that get the focus which
 * was in this part, the first that is shown: [selector of the part, …selectors of the elements]. The first part that
 * matches decides. A function that moves the focus itself at the same time has its way.
 */
export function guardFocus(root, heirs) {
  let last; // the element that has the focus, or had it until it was hidden or removed
  let parts = []; // the heirs of last, which is perhaps not in the page any more
  root.addEventListener("focusin", ({ target }) => {
    last = target;
    parts = heirs.filter(([part]) => target.closest(part)).flatMap(([, ...others]) => others);
  });
  document.addEventListener("pointerdown", () => (last = undefined), true); // a press elsewhere leaves the element
  const restore = () => {
    if (!last || isInSight(last)) return;
    const at = document.activeElement;
    if (at && at !== document.body && isInSight(at)) return;
    last = undefined;
    const heir = parts.map((selector) => document.querySelector(selector)).find((node) => node && isInSight(node));
    heir?.focus({ preventScroll: true });
  };
  const watched = { subtree: true, childList: true, attributes: true, attributeFilter: ["hidden"] };
  new MutationObserver(restore).observe(root, watched);
}
