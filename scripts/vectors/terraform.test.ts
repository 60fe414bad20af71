import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { referencePath } from "#testutil/testutil.ts";
import { checkCase } from "./terraform.ts";

test("recorded Terraform runs convert as recorded", async (t) => {
  const root = referencePath(t, "terraform");
  if (root === undefined) return;
  const cases = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.ok(cases.length >= 40, `expected the whole recording, found ${cases.length} cases`);
  for (const { name } of cases) {
    const { limited, checks } = await checkCase(join(root, name));
    if (limited) continue;
    assert.ok(checks.length > 0, `${name} has nothing to compare`);
    for (const { what, actual, expected } of checks) {
      assert.deepStrictEqual(actual, expected, `${name}: ${what}`);
    }
  }
});
