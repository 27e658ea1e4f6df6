// What a person sees of a run: its events folded into messages and tool calls. It does not need a DOM.

/** undo returns the events without those that a retraction takes back. */
export function undo(events, after) {
  return events.filter((e) => e.at <= after);
}

/** fold returns {question, items, outcome, error} of the events of a run, in order. */
export function fold(events) {
  const view = { question: "", items: [], outcome: "", error: "" };
  const call = (id) => view.items.findLast((i) => i.id === id);
  for (const e of events) {
    const last = view.items.at(-1);
    switch (e.type) {
      case "user_message":
        view.question = e.text;
        break;
      case "text_delta":
        if (last?.kind === "text") last.text += e.delta;
        else view.items.push({ kind: "text", text: e.delta });
        break;
      case "tool_call":
        view.items.push({ kind: "call", id: e.id, name: e.name, input: e.input, state: "running" });
        break;
      case "tool_progress": {
        const item = call(e.id);
        if (item && e.value?.size > 0) item.progress = { read: e.value.read, size: e.value.size };
        break;
      }
      case "tool_result": {
        const item = call(e.id);
        if (item) Object.assign(item, { state: e.is_error ? "failed" : "done", summary: e.summary, progress: undefined });
        break;
      }
      case "finished":
        view.outcome = e.outcome;
        if (e.outcome === "stopped") view.error = "You stopped this.";
        if (e.outcome === "limit") view.error = "A limit was reached before the answer was complete.";
        break;
      case "failed":
        view.outcome = "failed";
        view.error = e.message || "Something went wrong.";
        break;
    }
  }
  return view;
}

const names = {
  list_files: "Looked at the list of files",
  sample: "Looked at rows from all over the file",
  describe_file: "Described the file",
  read_chunk: "Read a part of the file",
  search: "Searched the file",
  profile_file: "Measured the whole file",
  get_profile: "Read the report",
  record_profile: "Recorded the report",
  query_file: "Asked a file",
};

/** describeCall returns the words for a tool call. */
export function describeCall(item) {
  return names[item.name] ?? item.name;
}

/** formatBytes returns a size for people. */
export function formatBytes(n) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (n >= size) return `${(n / size).toFixed(1).replace(/\.0$/, "")} ${unit}`;
  }
  return n === 1 ? "1 byte" : `${n} bytes`;
}

/** formatCount returns a number with commas. */
export function formatCount(n) {
  return Number(n ?? 0).toLocaleString("en");
}

/** describeQuality returns short sentences about the flaws of a column of a report. */
export function describeQuality(column, rows) {
  const share = (n) => (rows > 0 ? ` (${n / rows < 0.0005 ? "under 0.1" : ((100 * n) / rows).toFixed(1)} %)` : "");
  const list = [];
  if (column.missing) list.push(`${formatCount(column.missing)} missing${share(column.missing)}`);
  if (column.wrong) list.push(`${formatCount(column.wrong)} of another type${share(column.wrong)}`);
  if (column.negative) list.push(`${formatCount(column.negative)} below zero${share(column.negative)}`);
  if (column.formats?.length > 1) list.push(column.formats.map((f) => `${formatCount(f.count)} as ${f.format}`).join(", "));
  if (column.formulas) list.push(`${formatCount(column.formulas)} like formulas`);
  if (column.repeated) list.push("the name is used before");
  return list;
}
