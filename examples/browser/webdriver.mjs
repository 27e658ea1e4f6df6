// WebKitGTK's browser by the W3C's WebDriver protocol, in a display of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const element = "element-6066-11e4-a52e-4f735466cecf"; // the key of an element's id in WebDriver
const patience = 60_000; // milliseconds that a state may take

// selectors are the elements that can have a role.
const selectors = { button: "button", link: "a[href]", textbox: "input, textarea", heading: "h1, h2, h3" };

// startDriver starts the driver and a display, and returns a function that opens a browser.
export async function startDriver(directory) {
  const display = spawn(
    join(directory, "Xvfb"),
    ["-displayfd", "3", "-screen", "0", "1280x1000x24", "-nolisten", "tcp"],
    {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    },
  );
  const [number] = await Promise.race([once(display.stdio[3], "data"), failure(display, "Xvfb")]);
  const port = await freePort();
  const driver = spawn(join(directory, "WebKitWebDriver"), ["-p", String(port)], {
    stdio: "ignore", env: { ...process.env, DISPLAY: `:${String(number).trim()}`, LC_ALL: "C.UTF-8" },
  });
  const url = `http://127.0.0.1:${port}`;
  await Promise.race([
    until(() =>
      fetch(`${url}/status`).then(
        (r) => r.ok,
        () => false,
      ),
    ),
    failure(driver, "WebKitWebDriver"),
  ]);
  return {
    open: () => Session.open(url),
    async close() {
      for (const child of [driver, display]) {
        const ended = child.exitCode ?? child.signalCode ?? once(child, "exit");
        child.kill();
        await ended;
      }
    },
  };
}

async function failure(child, name) {
  const [code] = await once(child, "exit");
  throw new Error(`${name} ended with ${code}`);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

async function until(condition, what = "the condition") {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
    const value = await condition();
    if (value) return value;
  }
  throw new Error(`${what} was not there within ${patience} ms`);
}

// Session is one browser with one page. It has the methods of PageVisitor.
class Session {
  #url;

  static async open(driver) {
    const binary = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
    const capabilities = { alwaysMatch: { "webkitgtk:browserOptions": { binary, args: ["--automation"] } } };
    const { sessionId } = await send("POST", `${driver}/session`, { capabilities });
    return new Session(`${driver}/session/${sessionId}`);
  }

  constructor(url) {
    this.#url = url;
  }

  open(url) {
    return this.#send("POST", "/url", { url });
  }

  reload() {
    return this.#send("POST", "/refresh", {});
  }

  evaluate(source) {
    return this.#send("POST", "/execute/sync", { script: `return (${source})()`, args: [] });
  }

  async click(role, name) {
    const found = await this.#find(role, name);
    await this.#send("POST", `/element/${found}/click`, {});
  }

  async fill(name, text) {
    const found = await this.#find("textbox", name);
    await until(
      async () => !(await this.#send("GET", `/element/${found}/property/readOnly`)),
      `the editable field “${name}”`,
    );
    // The command "clear" leaves the field, so the page may fill it again before the text is typed, after what it has.
    await until(async () => {
      await this.#send("POST", `/element/${found}/clear`, {});
      await this.#send("POST", `/element/${found}/value`, { text });
      return (await this.#send("GET", `/element/${found}/property/value`)) === text;
    }, `“${text}” in the field “${name}”`);
  }

  async value(name) {
    return this.#send("GET", `/element/${await this.#find("textbox", name)}/property/value`);
  }

  // see waits until the page shows a text.
  see(text) {
    return until(async () => (await this.evaluate("() => document.body.innerText")).includes(text), `“${text}”`);
  }

  async screenshot() {
    return Buffer.from(await this.#send("GET", "/screenshot"), "base64");
  }

  close() {
    return this.#send("DELETE", "");
  }

  // #find waits for an element of a role that can be used and has this accessible name, both by the engine's own
  // judgement.
  #find(role, name) {
    assert.ok(selectors[role], role);
    return until(async () => {
      const all = await this.#send("POST", "/elements", { using: "css selector", value: selectors[role] });
      for (const { [element]: id } of all) {
        const ask = (what) => this.#send("GET", `/element/${id}/${what}`).catch(() => undefined); // gone meanwhile
        if ((await ask("computedlabel")) === name && (await ask("computedrole")) === role && (await ask("enabled")) &&
          (await ask("attribute/aria-disabled")) !== "true" && (await ask("displayed"))) return id;
      }
      return undefined;
    }, `the ${role} “${name}”`);
  }

  #send(method, path, body) {
    return send(method, this.#url + path, body);
  }
}

async function send(method, url, body) {
  const response = await fetch(url, { method, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${new URL(url).pathname}: ${value.error}: ${value.message}`);
  return value;
}
