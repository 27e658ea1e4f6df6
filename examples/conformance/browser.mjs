// A headless browser whose page follows the plain streams of runs with EventSource.
import chromium from "@sparticuz/chromium";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

// page asks for a run, follows it, reports the text that remains after retractions, and asks for the next one.
const page = `<!doctype html><title>runs</title><script>
async function follow() {
  const run = await (await fetch("/next")).text();
  let kept = [];
  const source = new EventSource("/runs/" + run + "/events");
  source.onopen = () => fetch("/opened", { method: "POST", body: run });
  source.onmessage = (e) => {
    const event = JSON.parse(e.data);
    if (event.type === "retract") kept = kept.filter(({ id }) => id <= event.after);
    else kept.push({ id: e.lastEventId, event });
    if (event.type !== "finished" && event.type !== "failed") return;
    source.close();
    const text = kept.filter(({ event }) => event.type === "text_delta").map(({ event }) => event.delta).join("");
    fetch("/told", { method: "POST", body: text });
    follow();
  };
}
follow();
</script>`;

// startBrowser starts a browser, and returns when its page asks for a run. The page and the server have one origin: that of
// a proxy in this process.
export async function startBrowser(server) {
  let next, opened, told;
  const ready = Promise.withResolvers?.() ?? withResolvers();
  const routes = {
    "/": (req, res) => res.setHeader("Content-Type", "text/html").end(page),
    "/next": (req, res) => { next = (run) => res.end(run); ready.resolve(); },
    "/opened": (req, res) => { opened?.(); res.end(); },
    "/told": (req, res, body) => { told(body); res.end(); },
  };
  const proxy = createServer(async (req, res) => {
    const route = routes[req.url];
    if (!route) return forward(server, req, res);
    let body = "";
    for await (const part of req) body += part;
    route(req, res, body);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const profile = await mkdtemp(join(tmpdir(), "browser-"));
  const url = `http://127.0.0.1:${proxy.address().port}/`;
  const args = [...chromium.args, `--user-data-dir=${profile}`, url];
  const child = spawn(await chromium.executablePath(), args, { stdio: "ignore" });
  const ended = once(child, "exit");
  await Promise.race([ready.promise, ended.then(([code]) => { throw new Error(`the browser ended with ${code}`); })]);

  return {
    // readText follows a run. It returns a promise of the first bytes, and one of the text that the run ends with.
    readText(run) {
      const isOpen = new Promise((resolve) => (opened = resolve));
      const text = new Promise((resolve) => (told = resolve));
      next(run);
      return { isOpen, text };
    },
    async close() {
      child.kill("SIGKILL");
      await ended;
      proxy.closeAllConnections();
      proxy.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

// withResolvers is that of Promise, which Node 20 does not have.
function withResolvers() {
  const all = {};
  all.promise = new Promise((resolve, reject) => Object.assign(all, { resolve, reject }));
  return all;
}

// forward passes a request on to the server. If the server breaks the response, so does the proxy.
function forward(server, req, res) {
  const { host } = new URL(server.url);
  const onward = request(server.url + req.url, { method: req.method, headers: { ...req.headers, host } });
  onward.on("error", () => res.destroy());
  onward.on("response", (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
    answer.on("error", () => res.destroy());
    res.on("close", () => answer.destroy());
  });
  req.pipe(onward);
}
