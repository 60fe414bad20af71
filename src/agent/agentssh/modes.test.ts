import assert from "node:assert/strict";
import { test } from "node:test";
import { Pty } from "#pty/pty.ts";
import { realClock } from "#quartz/clock.ts";
import { parseModes, sttyArguments } from "./modes.ts";

test("modes are read up to the end, or to what cannot be read", () => {
  const hex = (text: string) => [...parseModes(Buffer.from(text, "hex"))];
  assert.deepEqual(hex("81000096000100000003350000000000ff"), [
    [129, 38_400],
    [1, 3],
    [53, 0],
  ]);
  assert.deepEqual(hex(""), []);
  assert.deepEqual(hex("01000000"), []);
  assert.deepEqual(hex("a00100000003"), []);
});

test("only what differs becomes an argument", () => {
  const args = (...modes: [number, number][]) => sttyArguments(new Map(modes));
  assert.deepEqual(args([53, 1], [1, 3], [42, 1], [39, 1]), []);
  assert.deepEqual(args([53, 0], [1, 255], [3, 8], [75, 1]), [
    "-echo",
    "intr",
    "undef",
    "erase",
    "0x08",
    "onlret",
  ]);
  assert.deepEqual(args([129, 38_400], [16, 1], [1, 4096]), []);
});

test("our terminals begin as the table says", async (t) => {
  const pty = Pty.start({
    command: "/bin/sh",
    args: ["-c", "stty -a"],
    env: { PATH: process.env["PATH"] ?? "" },
    cwd: "/",
    clock: realClock,
  });
  t.after(() => pty.destroy());
  let shown = "";
  for await (const chunk of pty) shown += Buffer.from(chunk).toString();
  const words = new Set(shown.split(/[\s;]+/u));
  // Whatever becomes an argument is not so yet; what is shown with a minus can only be switched on.
  for (let opcode = 30; opcode < 80; opcode++) {
    for (const value of [0, 1]) {
      for (const arg of sttyArguments(new Map([[opcode, value]]))) assert.equal(words.has(arg), false, arg);
    }
  }
});
