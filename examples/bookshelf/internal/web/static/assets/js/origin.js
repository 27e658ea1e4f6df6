// Where the value of a field comes from, in words for a person. All functions are pure.

/**
 * describeSource returns the words for the source of a value: found, told, typed
 * or "". origin is the name of the look-up source that has it.
 */
export function describeSource(source, origin = "", isEmpty = false) {
  if (source === "typed") return isEmpty ? "cleared by you" : "typed by you";
  if (isEmpty) return "";
  if (source === "told") return "from your message";
  if (source === "found") return origin ? `from ${origin}` : "found by the reader";
  return "";
}

/**
 * estimate describes a confidence from 0 to 1.
 * @returns {{words: string, share: number, level: "weak"|"fair"|"good"|""}}
 */
export function estimate(confidence) {
  const share = Number(confidence);
  if (confidence === undefined || !(share >= 0 && share <= 1)) return { words: "—", share: 0, level: "" };
  const percent = `${Math.round(share * 100)} %`;
  if (share < 0.5) return { words: `${percent}, a guess`, share, level: "weak" };
  if (share < 0.8) return { words: `${percent}, check it`, share, level: "fair" };
  return { words: `${percent}, sure`, share, level: "good" };
}
