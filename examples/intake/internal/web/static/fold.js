// What a person sees of a run: its events folded into messages and tool calls. It does not need a DOM.

/** undo returns the events without those that a retraction takes back. */
export function undo(events, after) {
  return events.filter((e) => e.at <= after);
}

/** readOutput returns the value of a tool's result: its JSON, or its text. */
export function readOutput(blocks) {
  const block = Array.isArray(blocks) ? blocks[0] : undefined;
  if (!block || block.json !== undefined) return block?.json;
  try {
    return JSON.parse(block.text);
  } catch {
    return block.text;
  }
}

/**
 * requestOf returns the body of a request that asks the question of a run again, or undefined if the events do not tell
 * which file it was to take in.
 */
export function requestOf({ question, file, items }) {
  if (file) return { file_id: file };
  return items.length === 0 && question.startsWith("Take in ") ? undefined : { message: question };
}

/**
 * fold returns {question, file, items, outcome, error, canRetry} of the events of a run, in order. file is the id of
 * the file that the run takes in, or "". A person's own stop is an outcome and not an error.
 */
export function fold(events) {
  const view = { question: "", file: "", items: [], outcome: "", error: "", canRetry: false };
  const call = (id) => view.items.findLast((i) => i.id === id);
  for (const e of events) {
    const last = view.items.at(-1);
    switch (e.type) {
      case "user_message":
        view.question = e.text;
        break;
      case "custom":
        if (e.name === "file") view.file = String(e.value?.id ?? "");
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
        if (!item) break;
        Object.assign(item, { state: e.is_error ? "failed" : "done", summary: e.summary, progress: undefined });
        Object.assign(item, e.truncated ? { isLong: true } : { output: readOutput(e.output) });
        break;
      }
      case "finished":
        view.outcome = e.outcome;
        if (e.outcome === "limit") view.error = "A limit was reached before the answer was complete.";
        if (e.stop_reason) view.error = "The model did not end this in a usual way. It may not be an answer.";
        break;
      case "failed":
        view.outcome = "failed";
        view.error = e.message || "Something went wrong.";
        view.canRetry = e.retryable === true;
        break;
    }
  }
  return view;
}
