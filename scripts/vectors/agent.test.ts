import assert from "node:assert/strict";
import { test } from "node:test";
import { referencePath } from "#testutil/testutil.ts";
import { run } from "./agent.ts";

test("every recorded item that we compare is equal", async (t) => {
  const file = referencePath(t, "agent-vectors.json");
  if (!file) return;
  const result = await run([file]);
  assert.deepEqual(result.failures, []);
  assert.ok(result.equal > 0);
});
