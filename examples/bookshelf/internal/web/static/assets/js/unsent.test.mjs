import assert from "node:assert/strict";
import { test } from "node:test";
import { Unsent } from "./unsent.js";

const newStorage = () => {
  const items = new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => items.set(name, value),
    removeItem: (name) => items.delete(name),
  };
};

test("a text is kept for its chat until it is sent", () => {
  const storage = newStorage();
  const unsent = new Unsent(() => storage);
  assert.equal(unsent.restore("a"), "");
  unsent.keep("a", "Which of them");
  unsent.keep("", "A new one");
  assert.equal(new Unsent(() => storage).restore("a"), "Which of them");
  unsent.forget("a");
  assert.equal(unsent.restore("a"), "");
  assert.equal(unsent.restore(""), "A new one");
});

test("a browser without storage keeps nothing, without a failure", () => {
  const unsent = new Unsent(() => {
    throw new Error("SecurityError");
  });
  unsent.keep("a", "text");
  unsent.forget("a");
  assert.equal(unsent.restore("a"), "");
});
