import assert from "node:assert/strict";
import { it } from "node:test";
import { referencePath } from "#testutil/testutil.ts";
import { run } from "./parameters.ts";

it("recorded forms of templates come out equal", async (t) => {
  const file = referencePath(t, "parameter-vectors.json");
  if (file === undefined) return;
  const result = await run([file]);
  assert.deepEqual(result.failures, []);
  assert.equal(result.equal, result.of);
  assert.ok(result.of > 80);
});
