// A reader of server-sent events in the body of a fetch, since EventSource cannot send a POST or a token.
// https://html.spec.whatwg.org/multipage/server-sent-events.html

/** parseBlock returns the event of a block of lines, or undefined if it does not have data. */
export function parseBlock(block) {
  const data = [];
  let id = "";
  for (const line of block.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(":");
    if (colon < 1) continue; // a comment or an empty field
    const value = line.slice(colon + 1).replace(/^ /, "");
    const name = line.slice(0, colon);
    if (name === "data") data.push(value);
    if (name === "id") id = value;
  }
  return data.length > 0 ? { id, data: data.join("\n") } : undefined;
}

/** splitBlocks returns the complete blocks of a text and the rest. */
export function splitBlocks(text) {
  const blocks = text.split(/\r\n\r\n|\n\n|\r\r/);
  return { blocks: blocks.slice(0, -1), rest: blocks.at(-1) };
}

/** readEvents yields the events of a body. It rejects if no byte comes for silence milliseconds. */
export async function* readEvents(body, silence) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      let timer;
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error("The stream is silent.")), silence);
      });
      const { done, value } = await Promise.race([reader.read(), late]).finally(() => clearTimeout(timer));
      if (done) return;
      const { blocks, rest } = splitBlocks(text + decoder.decode(value, { stream: true }));
      text = rest;
      for (const block of blocks) {
        const event = parseBlock(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
