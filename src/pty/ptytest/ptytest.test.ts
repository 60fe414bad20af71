import assert from "node:assert/strict";
import { test } from "node:test";
import { ptytest } from "./ptytest.ts";

test("expectMatch consumes, writeLine types, exited comes last", async (t) => {
  const term = ptytest(t, {
    command: "/bin/sh",
    args: ["-c", "printf 'name? '; read n; echo hello $n; exit 2"],
  });
  await term.expectMatch("name? ");
  term.writeLine("ann");
  await term.expectMatch(/hello \w+/);
  assert.deepEqual(await term.exited, { code: 2, signal: 0 });
  assert.match(term.output(), /hello ann/);
});

test("a match that does not come names what was shown", async (t) => {
  const term = ptytest(t, { command: "/bin/sh", args: ["-c", "echo other"] });
  await assert.rejects(term.expectMatch("wanted"), /ended without wanted; shown: "other/);
  const slow = ptytest(t, { command: "/bin/sh", args: ["-c", "echo up; read x"] });
  await slow.expectMatch("up");
  await assert.rejects(slow.expectMatch("up", { timeoutMs: 50 }), /50 ms passed without up/);
});
