import assert from "node:assert/strict";
import { it } from "node:test";
import { referencePath } from "#testutil/testutil.ts";
import { run } from "./schedule.ts";

it("recorded schedules, deadlines and bumps come out equal", async (t) => {
  const file = referencePath(t, "schedule-vectors.json");
  if (file === undefined) return;
  const result = await run([file]);
  assert.deepEqual(result.failures, []);
  assert.equal(result.equal, result.of);
  assert.ok(result.of > 2200);
});
