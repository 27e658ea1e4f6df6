import assert from "node:assert/strict";
import { test } from "node:test";
import { describeRename, displayName, isSafe, safeName, withExtension } from "./filename.js";

const bytesOf = (text) => new TextEncoder().encode(text).length;

// The same names as in the test of scope.FileName, with the same results.
const cases = {
  "cover.jpg": "cover.jpg",
  "Übersicht 1.jpg": "Übersicht 1.jpg",
  "U\u0308bersicht.jpg": "Übersicht.jpg",
  "100% sure?.jpg": "100_ sure_.jpg",
  "../../etc/passwd": "_._.._etc_passwd",
  "C:\\Users\\me\\cover.jpg": "C:_Users_me_cover.jpg",
  ".profile": "_profile",
  " cover.jpg ": "_cover.jpg_",
  "a\u202egpj.exe": "a_gpj.exe",
  "a\0b\r\nc": "a_b__c",
  "a\ud800b": "a\ufffdb",
  "con.txt": "_con.txt",
  "LPT9": "_LPT9",
  uploads: "_uploads",
  "": "_",
  "...": "_._",
  "📷 كتاب שלום.png": "📷 كتاب שלום.png",
  "👩\u200d🚀.jpg": "👩_🚀.jpg",
  [`${"x".repeat(300)}.jpg`]: `${"x".repeat(251)}.jpg`,
  [`${"ü".repeat(200)}.jpg`]: `${"ü".repeat(125)}.jpg`,
  "a\u2025b": "a_b",
  "a\uff0fb": "a_b",
};

test("a name that cannot be the end of a key is replaced", () => {
  for (const [original, want] of Object.entries(cases)) {
    const name = safeName(original);
    assert.equal(name, want, JSON.stringify(original));
    assert.equal(safeName(name), name, "a safe name stays");
    assert.ok(bytesOf(name) <= 255);
    assert.equal(isSafe(original), original.replace("\ud800", "\ufffd").normalize("NFC") === want);
  }
});

test("a person sees the composed name, without characters that hide or turn it", () => {
  assert.equal(displayName("U\u0308bersicht.jpg"), "Übersicht.jpg");
  assert.equal(displayName("a/b\\c%?#.jpg"), "a/b\\c%?#.jpg");
  assert.equal(displayName("a\u202egpj.exe\r\nb"), "a gpj.exe b");
  assert.equal(displayName("👩\u200d🚀.jpg"), "👩\u200d🚀.jpg");
  assert.equal(displayName("\0"), "photo");
  assert.ok(bytesOf(displayName("📷".repeat(200))) <= 256);
  assert.ok(!displayName("📷".repeat(200)).includes("\ufffd"));
});

test("the extension of a converted file replaces the old one", () => {
  assert.equal(withExtension("IMG_1.HEIC", ".jpg"), "IMG_1.jpg");
  assert.equal(withExtension("v1.2 draft", ".jpg"), "v1.2 draft.jpg");
  assert.equal(withExtension("cover", ".jpg"), "cover.jpg");
  assert.equal(bytesOf(withExtension("x".repeat(255), ".jpg")), 255);
});

test("the sentence about a replaced name has both names", () => {
  assert.equal(
    describeRename("a/b.jpg", "a_b.jpg"),
    "The name “a/b.jpg” cannot be stored as it is, so the file is kept as “a_b.jpg”.",
  );
});
