import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { text } from "node:stream/consumers";
import { realClock } from "#quartz/clock.ts";
import { tempDir } from "#testutil/testutil.ts";
import { Pty } from "./pty.ts";

function start(t: TestContext, script: string, size = {}): Pty {
  const pty = Pty.start({
    command: "/bin/sh",
    args: ["-c", script],
    env: { PATH: "/usr/bin:/bin", TERM: "xterm" },
    cwd: "/",
    clock: realClock,
    ...size,
  });
  t.after(() => pty.destroy());
  return pty;
}

test("a process sees a terminal of the given size and its exit code arrives", async (t) => {
  const pty = start(t, "test -t 0 && test -t 1 && stty size; exit 7", { cols: 101, rows: 33 });
  assert.equal(await text(pty), "33 101\r\n");
  assert.deepEqual(await pty.exited, { code: 7, signal: 0 });
});

test("a signal is reported by its number", async (t) => {
  const pty = start(t, "kill -TERM $$");
  await text(pty);
  assert.deepEqual(await pty.exited, { code: 0, signal: 15 });
});

test("typing reaches the process; a resize raises SIGWINCH", async (t) => {
  const pty = start(
    t,
    "trap 'stty size; exit 0' WINCH; read line; echo got $line; while :; do sleep 0.01; done",
  );
  let seen = "";
  pty.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    if (seen.endsWith("got hi\r\n")) pty.resize({ cols: 120, rows: 40 });
  });
  const ended = once(pty, "end");
  pty.write("hi\r");
  await ended;
  assert.match(seen, /got hi\r\n40 120\r\n$/);
});

test("zero and absurd sizes are ignored", async (t) => {
  const pty = start(t, "read line; stty size", { cols: 0, rows: 70000 });
  pty.resize({ cols: 0, rows: 0 });
  pty.resize({ cols: 1.5, rows: -1 });
  pty.write("\r");
  assert.match(await text(pty), /24 80\r\n$/);
});

test("no byte is lost when the reader is slow and the process has long ended", async (t) => {
  const pty = start(t, "seq 1 20000; printf END");
  let size = 0;
  let tail = "";
  for await (const chunk of pty) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    tail = (tail + bytes.toString()).slice(-3);
    if (size < 20_000) await realClock.sleep(30);
  }
  // 108,894 bytes of numbers, each newline shown as two bytes.
  assert.equal(size, 108_894 + 20_000 + 3);
  assert.equal(tail, "END");
});

test("a reader that begins after the exit still gets everything", async (t) => {
  const pty = start(t, "printf 'short output'; exit 3");
  assert.deepEqual(await pty.exited, { code: 3, signal: 0 });
  await realClock.sleep(250);
  assert.equal(await text(pty), "short output");
});

test("a background process that keeps the terminal does not keep the stream", async (t) => {
  const pty = start(t, "(trap '' HUP; sleep 30) & echo front");
  const begin = realClock.monotonic();
  assert.equal(await text(pty), "front\r\n");
  assert.ok(realClock.monotonic() - begin < 5_000);
});

test("destroy hangs up the whole process group", async (t) => {
  const dir = await tempDir(t);
  const pty = start(t, `trap 'echo bye > ${dir}/bye; exit 4' HUP; echo up; while :; do sleep 0.01; done`);
  await once(pty, "data");
  pty.destroy();
  const { code } = await pty.exited;
  assert.equal(code, 4);
});

test("writing to a terminal whose process ended is harmless", async (t) => {
  const pty = start(t, "exit 0");
  await pty.exited;
  await new Promise<void>((resolve, reject) => {
    pty.write("x", (error) => (error ? reject(error) : resolve()));
  });
});
