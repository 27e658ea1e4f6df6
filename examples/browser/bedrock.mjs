// A model service that fails until it is told not to, and answers by a script. It speaks the part of Bedrock's
// ConverseStream that the programs use: https://smithy.io/2.0/aws/amazon-eventstream.html
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * withModel returns a function that starts a program with a model service of its own, which is its property model.
 * While model.isDown is true, the service is not available. Otherwise it answers with the {text, calls} that script
 * returns for the messages of a request.
 */
export const withModel = (startIn, script) => async (...flags) => {
  const model = await startModel(script);
  const server = await startIn(model.environment, ...flags);
  const { close } = server;
  return Object.assign(server, { model, async close() {
    await close();
    await model.close();
  } });
};

async function startModel(script) {
  const model = { isDown: false };
  const service = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (model.isDown) {
      response.writeHead(503, {
        "Content-Type": "application/json",
        "X-Amzn-ErrorType": "ServiceUnavailableException",
      });
      response.end(`{"message":"not now"}`);
      return;
    }
    response.writeHead(200, { "Content-Type": "application/vnd.amazon.eventstream" });
    for (const [type, event] of answer(script(JSON.parse(Buffer.concat(chunks)).messages)))
      response.write(frame(type, event));
    response.end();
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  return Object.assign(model, {
    environment: {
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: `http://127.0.0.1:${service.address().port}`,
      AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test",
    },
    close() {
      service.closeAllConnections();
      return new Promise((resolve) => service.close(resolve));
    },
  });
}

let calls = 0;

// answer yields the events of an answer.
function* answer({ text = "", calls: wanted = [] }) {
  yield ["messageStart", { role: "assistant" }];
  let contentBlockIndex = 0;
  if (text) {
    yield ["contentBlockDelta", { contentBlockIndex, delta: { text } }];
    yield ["contentBlockStop", { contentBlockIndex: contentBlockIndex++ }];
  }
  for (const { name, input } of wanted) {
    yield ["contentBlockStart", { contentBlockIndex, start: { toolUse: { toolUseId: `call-${++calls}`, name } } }];
    yield ["contentBlockDelta", { contentBlockIndex, delta: { toolUse: { input: JSON.stringify(input) } } }];
    yield ["contentBlockStop", { contentBlockIndex: contentBlockIndex++ }];
  }
  yield ["messageStop", { stopReason: wanted.length > 0 ? "tool_use" : "end_turn" }];
  yield ["metadata", { usage: { inputTokens: 10, outputTokens: 10, totalTokens: 20 }, metrics: { latencyMs: 1 } }];
}

// frame encodes an event: the lengths and their checksum, the headers, the payload, and the checksum of all.
function frame(type, event) {
  const headers = Buffer.concat(
    [
      [":event-type", type],
      [":content-type", "application/json"],
      [":message-type", "event"],
    ].map(header),
  );
  const payload = Buffer.from(JSON.stringify(event));
  const message = Buffer.alloc(headers.length + payload.length + 16);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(headers.length, 4);
  message.writeUInt32BE(checksum(message.subarray(0, 8)), 8);
  headers.copy(message, 12);
  payload.copy(message, 12 + headers.length);
  message.writeUInt32BE(checksum(message.subarray(0, -4)), message.length - 4);
  return message;
}

// header encodes a header whose value is a string.
function header([name, value]) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), length, Buffer.from(value)]);
}

// checksum returns the CRC-32 of bytes.
function checksum(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; i++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
