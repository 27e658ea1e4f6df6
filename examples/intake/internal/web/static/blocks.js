// The structure of an answer: paragraphs and lists. It does not need a DOM.

/**
 * splitText returns the parts of a text: {list: [text]} for lines that begin with a dash, and {text} for the others.
 */
export function splitText(text) {
  const parts = [];
  let isNew = true; // the next line begins a paragraph
  for (const line of text.split("\n")) {
    const last = parts.at(-1);
    const item = /^\s*[-*•] (.*)/.exec(line);
    if (item && last?.list) last.list.push(item[1]);
    else if (item) parts.push({ list: [item[1]] });
    else if (line.trim() === "") isNew = true;
    else if (isNew || !last?.text) parts.push({ text: line });
    else last.text += `\n${line}`;
    if (line.trim() !== "") isNew = false;
  }
  return parts;
}
