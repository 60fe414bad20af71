import assert from "node:assert/strict";
import { test } from "node:test";
import { referencePath } from "#testutil/testutil.ts";
import { run } from "./net.ts";

test("every recorded item of a kind that we know is equal", async (t) => {
  const file = referencePath(t, "net-vectors.json");
  if (!file) return;
  const result = await run([file]);
  assert.deepEqual(result.failures, []);
  assert.ok(result.equal > 0);
});
