import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { runCrash } from "./harness.ts";

test("three rounds of kill -9 lose nothing that was acknowledged", async (t) => {
  if (!existsSync("/proc/self/environ")) {
    t.skip("finding a workspace's processes needs Linux's /proc");
    return;
  }
  const said: string[] = [];
  const { violations, builds } = await runCrash({ rounds: 3, seed: "gate", say: (line) => said.push(line) });
  assert.deepEqual(violations, [], said.join("\n"));
  assert.ok(builds > 3, said.join("\n"));
});
