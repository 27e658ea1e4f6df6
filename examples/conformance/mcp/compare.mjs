// compare.mjs OURS REFERENCE: exits with 1 if a check of the suite fails in the results in OURS and not in those in
// REFERENCE, and prints how many checks passed.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

function readChecks(dir) {
  const checks = new Map();
  for (const run of readdirSync(dir)) {
    const scenario = run.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT.*$/, "");
    for (const c of JSON.parse(readFileSync(join(dir, run, "checks.json"), "utf8"))) {
      const id = `${scenario}: ${c.id}`;
      if (checks.get(id)?.status !== "FAILURE") checks.set(id, c);
    }
  }
  return checks;
}

const [ours, reference] = process.argv.slice(2).map(readChecks);
const failed = [...ours].filter(([, c]) => c.status === "FAILURE");
const passed = [...ours].filter(([, c]) => c.status === "SUCCESS");
console.log(`MCP conformance: ${passed.length} checks pass, ${failed.length} fail`);
if (passed.length < 100) {
  console.error("the suite has not run");
  process.exit(1);
}
const worse = failed.filter(([id]) => reference.get(id)?.status !== "FAILURE");
for (const [id, c] of worse) console.error(`FAILED, and not by the reference server: ${id}: ${c.errorMessage}`);
const missing = [...reference.keys()].filter((id) => !ours.has(id));
for (const id of missing) console.error(`NOT RUN, but against the reference server: ${id}`);
process.exit(worse.length + missing.length === 0 ? 0 : 1);
