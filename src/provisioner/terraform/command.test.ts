import assert from "node:assert/strict";
import { test } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { MockClock } from "#quartz/mock.ts";
import { captureCommand, CommandError, runCommand, type Command } from "./command.ts";
import { LineSplitter } from "./lines.ts";

const never = new AbortController().signal;

function shell(script: string, more: Partial<Command> = {}): Command {
  return {
    argv: ["/bin/sh", "-c", script],
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "" },
    clock: realClock,
    canceled: never,
    killed: never,
    onStdout() {},
    onStderr() {},
    ...more,
  };
}

test("lines come whole, whatever the chunks", () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const data = Buffer.from("a\r\n\nbü€\nlast");
  for (const byte of data) splitter.write(Uint8Array.of(byte));
  splitter.end();
  assert.deepEqual(lines, ["a", "", "bü€", "last"]);
});

test("a line without end is passed on in pieces", () => {
  const sizes: number[] = [];
  const splitter = new LineSplitter((line) => sizes.push(line.length));
  for (let i = 0; i < 20; i++) splitter.write(Buffer.alloc(1 << 20, 0x78));
  splitter.end();
  assert.deepEqual(sizes, [17 << 20, 3 << 20]);
});

test("runCommand() gives both streams and how it ended, and no other environment", async () => {
  const out: string[] = [];
  const exit = await runCommand(
    shell('echo "$HOME-$X"; echo no >&2; exit 3', {
      env: { X: "1" },
      onStdout: (line) => out.push(`out ${line}`),
      onStderr: (line) => out.push(`err ${line}`),
    }),
  );
  assert.deepEqual(exit, { ok: false, reason: "exit status 3" });
  assert.deepEqual(out.sort(), ["err no", "out -1"]);
});

test("a cancel interrupts, a kill ends the whole group", async () => {
  const cancel = new AbortController();
  const interrupted = await runCommand(
    shell("trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done", {
      canceled: cancel.signal,
      onStdout: () => cancel.abort(),
    }),
  );
  assert.deepEqual(interrupted, { ok: false, reason: "exit status 9" });
  const kill = new AbortController();
  const killed = await runCommand(
    shell("trap '' INT; echo ready; sleep 600", { killed: kill.signal, onStdout: () => kill.abort() }),
  );
  assert.deepEqual(killed, { ok: false, reason: "signal: killed" });
});

test("what is cancelled before it starts does not start", async () => {
  await assert.rejects(runCommand(shell("true", { canceled: AbortSignal.abort() })), /context canceled/);
});

test("a program that does not exist says its name", async () => {
  const command = shell("", { argv: ["/nowhere/terraform"] });
  await assert.rejects(
    runCommand(command),
    (error) => error instanceof CommandError && /nowhere/.test(error.message),
  );
});

test("a process left behind that holds the pipes does not hold the job", async () => {
  const clock = new MockClock();
  const trap = clock.trap("pipes-after-exit");
  let left = 0;
  const exit = runCommand(
    shell('sleep 600 & echo "$!"', {
      clock,
      onStdout(line) {
        left = Number(line);
      },
    }),
  );
  await trap.wait();
  await clock.advance(5_000);
  assert.deepEqual(await exit, { ok: true, reason: "" });
  process.kill(left, "SIGKILL");
});

test("captureCommand() says what went wrong, and has a bound", async () => {
  const { onStdout: _, onStderr: __, ...failing } = shell("echo broken >&2; exit 1");
  await assert.rejects(captureCommand(failing, "show"), /show: exit status 1\nbroken/);
  const { onStdout: _1, onStderr: __1, ...long } = shell("echo 123456789");
  await assert.rejects(captureCommand(long, "show", 5), /exceeds 5 bytes/);
});
