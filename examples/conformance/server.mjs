// The servers of the suites as child processes: start, kill and start them again on the same directory.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

// startServer starts the conformance server.
export function startServer(...flags) {
  return startProgram(process.env.CONFORMANCE_SERVER, (dir) => ["-dir", dir, ...flags]);
}

// startBookshelf starts the bookshelf.
export const startBookshelf = (...flags) => startBookshelfIn({}, ...flags);

// startIntake starts intake.
export const startIntake = (...flags) => startIntakeIn({}, ...flags);

// startBookshelfIn and startIntakeIn start a program with further variables of the environment.
export function startBookshelfIn(environment, ...flags) {
  return startProgram(process.env.CONFORMANCE_BOOKSHELF, (dir) => ["-data", dir, ...flags], environment);
}

export function startIntakeIn(environment, ...flags) {
  return startProgram(process.env.CONFORMANCE_INTAKE, (dir) => ["-data", dir, ...flags], environment);
}

// startProgram starts a server on a directory of its own and on one port. The first line that it prints has its address.
// Flags of a restart come after the others.
async function startProgram(program, flags, environment = {}) {
  const dir = await mkdtemp(join(tmpdir(), "conformance-"));
  const server = { url: "", child: undefined, wasKilled: false, restart, kill, close };
  await restart();
  return server;

  async function restart(...more) {
    const addr = server.url === "" ? "127.0.0.1:0" : new URL(server.url).host;
    const env = { ...process.env, ...environment };
    const child = spawn(program, ["-addr", addr, ...flags(dir), ...more], { env, stdio: ["ignore", "pipe", "inherit"] });
    server.child = child;
    const lines = createInterface(child.stdout);
    const [first] = await Promise.race([
      once(lines, "line"),
      once(child, "exit").then(([code]) => { throw new Error(`the server ended with ${code}`); }),
    ]);
    [server.url] = /http:\/\/\S+/.exec(first);
  }

  async function kill(signal = "SIGKILL") {
    if (server.child.exitCode !== null || server.child.signalCode !== null) return;
    const ended = once(server.child, "exit");
    server.wasKilled = true;
    server.child.kill(signal);
    await ended;
  }

  async function close() {
    await kill();
    await rm(dir, { recursive: true });
  }
}

// readEvents reads the plain stream of a run to its end, and returns its events.
export async function readEvents(url, run) {
  const response = await fetch(`${url}/runs/${run}/events`);
  const text = await response.text();
  return text.split("\n").filter((l) => l.startsWith("data: ")).map((l) => JSON.parse(l.slice(6)));
}
