import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { buffer, text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { Spawner, type Spawn, spawnWithSockets } from "./spawner.ts";

const sh = (script: string) => ({
  file: "/bin/sh",
  args: ["-c", script],
  env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
  cwd: "/",
});

function spawner(t: TestContext): Spawn {
  const made = new Spawner();
  t.after(() => made[Symbol.asyncDispose]());
  return made.spawn;
}

async function run(spawn: Spawn, script: string, input?: string) {
  const { child, stdin, stdout, stderr } = await spawn(sh(script), { stdin: input !== undefined });
  stdin?.on("error", () => {});
  stdin?.end(input);
  const [[code], out, err] = await Promise.all([once(child, "exit"), text(stdout), text(stderr)]);
  return { code: Number(code), out, err };
}

test("the streams have names that a process can open", async (t) => {
  const spawn = spawner(t);
  const script = "cat /dev/stdin > /dev/stdout; echo oops > /dev/stderr; exit 3";
  assert.deepEqual(await run(spawn, script, "in\n"), { code: 3, out: "in\n", err: "oops\n" });
});

test("sockets do without mkfifo, save for the names", async () => {
  assert.deepEqual(await run(spawnWithSockets, "cat; echo err >&2", "in"), {
    code: 0,
    out: "in",
    err: "err\n",
  });
});

test("without an input a process reads nothing", async (t) => {
  const spawn = spawner(t);
  assert.deepEqual(await run(spawn, "cat; echo end"), { code: 0, out: "end\n", err: "" });
});

test("no byte is lost, either way, and a slow reader stops the writer", async (t) => {
  const spawn = spawner(t);
  const { stdin, stdout } = await spawn(sh("cat"), { stdin: true });
  const bytes = Buffer.alloc(5_000_000, "abcdefg");
  stdin?.end(bytes);
  assert.ok((await buffer(stdout)).equals(bytes));
});

test("many at once, each with its own pipes", async (t) => {
  const spawn = spawner(t);
  const all = await Promise.all(Array.from({ length: 40 }, (_, n) => run(spawn, `echo ${n} > /dev/stdout`)));
  assert.deepEqual(
    all.map(({ out }) => out),
    Array.from({ length: 40 }, (_, n) => `${n}\n`),
  );
});

test("a program that does not exist is an error of the process, and leaves no descriptor open", async (t) => {
  const spawn = spawner(t);
  const before = (await readdir("/proc/self/fd")).length;
  const missing = { ...sh(""), file: "/does/not/exist" };
  const { child, stdout, stderr } = await spawn(missing, { stdin: false });
  const [error] = await once(child, "error");
  assert.match(String(error), /ENOENT/u);
  assert.deepEqual([await text(stdout), await text(stderr)], ["", ""]);
  const ready = 6;
  assert.ok((await readdir("/proc/self/fd")).length <= before + ready);
});
