import assert from "node:assert/strict";
import test from "node:test";
import { collectFiles, describeCall, listArguments, nameHandles, summarize } from "./calls.js";
import { tableOf } from "./calltable.js";

const files = collectFiles([
  { output: { files: [{ file: "f1", name: "march.csv", upload_id: "u1" }, { name: "no handle" }] } },
  { output: "text" }, {},
]);

test("handles never reach a person", () => {
  assert.deepEqual(files.get("f1"), { name: "march.csv", id: "u1" });
  assert.equal(nameHandles("20 rows of f1", files), "20 rows of march.csv");
  assert.equal(nameHandles("f9 has not been profiled", files), "the file has not been profiled");
  assert.equal(nameHandles("half1, xf1 and F1", files), "half1, xf1 and F1");
  const item = {
    name: "query_file", state: "done", summary: "march.csv: 3 of 9 rows match",
    input: { file: "f1", join: { file: "f2", on: "a", equals: "b" } },
  };
  assert.deepEqual(
    listArguments(item, files), [["File", "march.csv"], ["Together with", "the file, where a equals its b"]]
  );
  collectFiles([{ output: { file: "f1", name: "march.csv" } }], files);
  assert.equal(files.get("f1").id, "u1"); // a later result does not forget it
});

test("a call has words in each state", () => {
  const words = (state) => describeCall({ name: "profile_file", state });
  assert.deepEqual(
    ["running", "done", "failed"].map(words),
    ["Measuring the whole file", "Measured the whole file", "Could not measure the file"]
  );
  assert.equal(describeCall({ name: "a_later_tool", state: "done" }), "a later tool");
  assert.equal(describeCall({ state: "done" }), "");
  assert.equal(summarize(
    { name: "get_profile", state: "failed", summary: "f1 has not been profiled: call profile_file first" }, files
  ), "march.csv has not been profiled");
  const zip = {
    name: "sample", state: "failed",
    summary: "the file f1 is not text (application/zip, 15 bytes), so this tool can't read it",
  };
  assert.equal(summarize(zip, files), "the file march.csv is not text (application/zip, 15 bytes)");
});

test("arguments are in words", () => {
  const input = {
    where: [{ column: "quantity", operator: "lt", value: "0" }, { column: "eta", operator: "missing" }],
    measures: [
      { function: "sum", column: "quantity" }, { function: "avg", column: "eta" }, { function: "count" },
    ], group_by: ["carrier"], cursor: "x", from: "tail",
  };
  assert.deepEqual(listArguments({ input }, files), [
    ["Only rows with", "quantity is below 0, eta is missing"], [
      "Calculate", "sum of quantity, average of eta, number of rows",
    ],
    ["For each", "carrier"], ["From", "the end"],
  ]);
  assert.deepEqual(
    listArguments({ input: { where: "no list", join: null, group_by: [null] } }, files),
    [["Only rows with", "no list"]]
  );
  assert.deepEqual(listArguments({}, files), []);
});

test("rows of CSV are a table", () => {
  const output = { by: "rows", columns: ["a", "b"], items: [{ row: ["1", "2"] }, { row: ["3"] }] };
  const item = { name: "sample", state: "done", output };
  assert.deepEqual(tableOf(item), { columns: ["a", "b"], rows: [["1", "2"], ["3", ""]], more: 0 });
  assert.equal(summarize(item, files), "2 rows");
  const wide = Array.from({ length: 40 }, (_, i) => `c${i}`);
  assert.equal(tableOf({ ...item, output: { columns: wide, items: [{ row: wide }] } }).more, 10);
});

test("records of JSON are a table with a column for each name", () => {
  const sample = (...texts) => tableOf(
    { name: "sample", state: "done", output: { by: "lines", items: texts.map((text) => ({ text })) } }
  );
  assert.deepEqual(sample('{"a":1,"b":{"c":"x"}}', ' {"a":null,"d":[1,2]},'), {
    columns: ["a", "b.c", "d"], rows: [["1", "x", ""], ["", "", "[1,2]"]], more: 0,
  });
  assert.deepEqual(sample("[", '{"a":1},', '{"a":2}', "]").rows, [["1"], ["2"]]);
  assert.deepEqual(sample('[{"a":"}"},{"a":"\\"{"},{"a":"cut of').rows, [["}"], ['"{']]);
  assert.deepEqual(sample('{"__proto__":{"x":1},"a":2}').columns, ["__proto__.x", "a"]);
  assert.deepEqual(sample('{"a":1}', "not JSON"), { columns: ["Line"], rows: [['{"a":1}'], ["not JSON"]], more: 0 });
});

test("other results", () => {
  const done = (name, output) => tableOf({ name, state: "done", output });
  assert.deepEqual(
    done("query_file", { columns: ["carrier", "rows"], rows: [["Northline", "12"]] }).rows, [["Northline", "12"]]
  );
  assert.deepEqual(done("list_files", { files: [
    { name: "a.csv", kind: "purchase_orders", rows: 2000, state: "confirmed" },
    { name: "b.csv", kind: "unknown", state: "stopped" },
  ] }).rows, [
    ["a.csv", "purchase orders", "2,000", "confirmed"], ["b.csv", "", "", "stopped by you"],
  ]);
  for (
    const output of [undefined, "text", {}, { items: "x" }, { profile: null }]
  ) assert.equal(done("sample", output), undefined);
  assert.equal(tableOf({ name: "sample", state: "failed", output: { items: [] } }), undefined);
});
