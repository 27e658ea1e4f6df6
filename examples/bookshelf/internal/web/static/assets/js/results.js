// The whole result of a tool call as text. All functions are pure.

/** formatResult returns the text of a result {blocks} of a tool. */
export function formatResult({ blocks }) {
  const parts = (blocks ?? []).map(formatBlock).filter((text) => text !== "");
  return parts.length > 0 ? parts.join("\n\n") : "The result is empty.";
}

function formatBlock(block) {
  if (block.json !== undefined) return JSON.stringify(block.json, null, 2);
  if (typeof block.text === "string") return reformat(block.text);
  const [kind] = Object.keys(block);
  return kind ? `(${kind})` : "";
}

/** reformat indents a text that is a JSON object or array, since some models receive JSON as text. */
function reformat(text) {
  if (!/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
