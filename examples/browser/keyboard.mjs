// The keyboard.
import assert from "node:assert/strict";

// tabTo presses Tab until an element has the focus. Each element on the way shows that it has it.
export async function tabTo(page, locator) {
  const target = await locator.elementHandle();
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    const [found, visible] = await page.evaluate((target) => {
      const at = document.activeElement;
      const { outlineStyle, boxShadow } = getComputedStyle(at);
      const next = at.nextElementSibling && getComputedStyle(at.nextElementSibling).outlineStyle;
      return [
        at === target,
        at === document.body || outlineStyle !== "none" || boxShadow !== "none" || next !== "none",
      ];
    }, target);
    assert.ok(
      visible,
      `the focus is not visible on ${await page.evaluate(() => document.activeElement.outerHTML.slice(0, 200))}`,
    );
    if (found) return;
  }
  assert.fail("the element is not in the order of the keyboard");
}
