import assert from "node:assert/strict";
import { test } from "node:test";
import { describeFolders, isMisplaced, readDrop } from "./drop.js";

const item = (name, isDirectory = false) => ({ kind: "file", webkitGetAsEntry: () => ({ name, isDirectory }) });
const text = { kind: "string" };

test("a folder is told from the files beside it", () => {
  const items = [text, item("a.png"), item("holiday", true), item("b.png")];
  const files = [{ name: "a.png" }, { name: "holiday" }, { name: "b.png" }];
  const drop = readDrop({ items, files });
  assert.deepEqual(drop.files.map((f) => f.name), ["a.png", "b.png"]);
  assert.deepEqual(drop.folders, ["holiday"]);
});

test("a browser that does not tell folders apart gives files", () => {
  const files = [{ name: "a.png" }];
  assert.deepEqual(readDrop({ files }), { files, folders: [] });
  assert.deepEqual(readDrop({ items: [{ kind: "file" }], files }), { files, folders: [] });
});

test("the notice says what to do with folders", () => {
  assert.equal(describeFolders(["holiday"]).title, "“holiday” is a folder");
  assert.equal(describeFolders(["a", "b"]).title, "2 of these are folders");
});

test("text that is pasted beside the boxes is misplaced", () => {
  const box = { closest: () => ({}) };
  const page = { closest: () => null };
  assert.equal(isMisplaced({ files: [], types: ["text/plain"] }, page), true);
  assert.equal(isMisplaced({ files: [], types: ["text/plain"] }, box), false);
  assert.equal(isMisplaced({ files: [{}], types: ["Files"] }, page), false);
  assert.equal(isMisplaced({ files: [], types: [] }, page), false);
});
