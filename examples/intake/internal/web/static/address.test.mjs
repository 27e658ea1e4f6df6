import assert from "node:assert/strict";
import test from "node:test";
import { readAddress, writeAddress } from "./address.js";

test("an address names a chat, a file, both or neither", () => {
  for (
    const named of [{ chat: "a", file: "b" }, { chat: "a", file: "" }, { chat: "", file: "b" }, { chat: "", file: "" }]
  ) {
    assert.deepEqual(readAddress(writeAddress(named)), named);
  }
  assert.equal(writeAddress({ chat: "a", file: "b" }), "#chat=a&file=b");
  assert.equal(writeAddress({ chat: "", file: "" }), "");
});

test("an address that the page has not written is read as it is", () => {
  assert.deepEqual(readAddress("#main"), { chat: "", file: "" });
  assert.deepEqual(readAddress("#other=x&file=a%2Fb&chat="), { chat: "", file: "a/b" });
  assert.deepEqual(readAddress("#chat=%E0%A4%A"), { chat: "\ufffd%A", file: "" });
});
