import assert from "node:assert/strict";
import test from "node:test";
import { splitText } from "./blocks.js";
import { describeQuality, describeType } from "./column.js";
import { describeState, nextSteps, progress } from "./state.js";
import { describeRest, formatBytes, formatName, plural, sentence } from "./words.js";

test("sizes, counts and sentences are for people", () => {
  assert.equal(formatBytes(1), "1 byte");
  assert.equal(formatBytes(1_500_000_000), "1.5 GB");
  assert.deepEqual([plural(1, "row"), plural(2000, "row")], ["1 row", "2,000 rows"]);
  assert.deepEqual(
    [1, 2].map((n) => describeRest(n, "more column")), ["1 more column is left out.", "2 more columns are left out."]
  );
  assert.deepEqual(
    ["the file is empty", "Done.", "", undefined].map(sentence), ["The file is empty.", "Done.", "", ""]
  );
  assert.deepEqual(["02.01.2006", "20060102", "a later one"].map(formatName), ["DD.MM.YYYY", "YYYYMMDD", "a later one"]);
});

test("the flaws of a column have words", () => {
  assert.deepEqual(
    describeQuality({ missing: 2, wrong: 0, formats: [{ format: "a", count: 1 }] }, 100), ["2 missing (2.0 %)"]
  );
  assert.deepEqual(describeQuality({ missing: 1 }, 100_000), ["1 missing (under 0.1 %)"]);
  assert.deepEqual(describeQuality(
    { type: "date", formats: [{ format: "2006-01-02", count: 9 }, { format: "02.01.2006", count: 1 }] }, 10
  ), [
    "9 as YYYY-MM-DD; 1 as DD.MM.YYYY",
  ]);
  assert.deepEqual(describeQuality(
    { type: "decimal", formats: [{ format: "1,5", count: 9 }, { format: "1.234,5", count: 1 }] }, 10
  ), [
    "9 like 1,5; 1 like 1.234,5",
  ]);
  assert.deepEqual(
    describeQuality({ assumed: 12, assumed_example: "03/04/2026" }, 20),
    ["12 can be read in two ways, such as 03/04/2026"]
  );
  assert.deepEqual(
    [1, 1000].flatMap((formulas) => describeQuality({ formulas }, 1000)), ["1 like a formula", "1,000 like formulas"]
  );
  assert.deepEqual(describeQuality({}, 0), []);
});

test("a type says how its values are read", () => {
  assert.deepEqual(describeType({ type: "decimal", decimal: "," }), { type: "Number", details: ["decimal comma"] });
  assert.deepEqual(
    describeType({ type: "date", date_order: "day", assumed: 3 }).details, ["the day comes first (assumed)"]
  );
  assert.deepEqual(
    describeType({ type: "date", date_order: "month", decimal: "," }),
    { type: "Date", details: ["the month comes first"] }
  );
  assert.deepEqual(
    describeType({ type: "text", decimal: ".", date_order: "day" }).details, []
  ); // it has few numbers and dates
  assert.deepEqual(describeType({ type: "integer", units: [{ format: "kg", count: 3 }] }).details, ["in kg"]);
  assert.deepEqual(describeType(
    { type: "decimal", units: [{ format: "$", count: 1200 }, { format: "", count: 3 }] }
  ).details, [
    "in $ (1,200), no unit (3)",
  ]);
  assert.deepEqual(describeType({ type: "a later one" }), { type: "a later one", details: [] });
});

test("states are plain English, and a stop is not a failure", () => {
  const own = { owner: "you", step: "profiled" };
  const label = (file) => describeState({ ...own, ...file }).label;
  assert.equal(label({ can_confirm: true }), "Waiting for you");
  assert.equal(label({ state: "failed", failure: "Too busy.", can_take_in: true }), "Failed");
  assert.equal(label({ state: "failed", failure: "This is a zip archive.", can_delete: true }), "Cannot be read");
  assert.equal(label({ state: "being read" }), "Being read…");
  assert.equal(label({ state: "uploaded, not read yet", can_take_in: true }), "Not read yet");
  assert.equal(label({ state: "not uploaded yet", step: "user_upload" }), "Not uploaded yet");
  assert.equal(label({ step: "done" }), "Confirmed");
  assert.equal(label({ step: "done", is_shared: true }), "Confirmed and shared");
  assert.equal(label({ owner: "the tenant" }), "Shared by your colleagues");
  assert.deepEqual(
    describeState({ ...own, state: "stopped", failure: "The run was stopped.", can_take_in: true }),
    { label: "Stopped by you", tone: "plain" }
  );
});

test("the next step fits the state", () => {
  const labels = (file) => nextSteps(file).map((s) => s.label);
  assert.deepEqual(labels({ can_confirm: true, can_delete: true }), ["Look and confirm"]);
  assert.deepEqual(labels({ can_take_in: true }), ["Take it in"]);
  assert.deepEqual(
    labels({ can_take_in: true, can_delete: true, state: "stopped", failure: "x" }), ["Take it in", "Remove"]
  );
  assert.deepEqual(
    labels({ can_take_in: true, can_delete: true, state: "failed", failure: "x" }), ["Try again", "Remove"]
  );
  assert.deepEqual(labels({ can_delete: true, state: "failed", failure: "This is a zip archive." }), ["Remove"]);
  assert.deepEqual(labels({ step: "done" }), []);
  assert.deepEqual(progress({ step: "confirmed" }).map((s) => s.isDone), [true, true, false]);
});

test("lines with dashes become lists", () => {
  assert.deepEqual(splitText("I read it.\n- one\n- two\n\nDone.\nAll of it."), [
    { text: "I read it." }, { list: ["one", "two"] }, { text: "Done.\nAll of it." },
  ]);
  assert.deepEqual(splitText("\n\n -5 is below zero"), [{ text: " -5 is below zero" }]);
  assert.deepEqual(splitText(""), []);
});

test("lines between bars become tables", () => {
  const text = "From it:\n| a | b \\| c |\n| --- | --- |\n| <b>1</b> | \\\\ |\n| 2 |\nDone.";
  assert.deepEqual(splitText(text), [
    { text: "From it:" }, { table: { columns: ["a", "b | c"], rows: [["<b>1</b>", "\\"], ["2", ""]] } },
    { text: "Done." },
  ]);
  assert.deepEqual(splitText("| a |\nb"), [{ text: "| a |\nb" }]);
  assert.deepEqual(splitText("| a |\n| --- |"), [{ table: { columns: ["a"], rows: [] } }]);
});
