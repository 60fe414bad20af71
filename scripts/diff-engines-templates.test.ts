import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findTerraform } from "#provisioner/terraform/locate.ts";
import { repoRoot, tempDir } from "#testutil/testutil.ts";
import { compareEngines, enginePair, firstDifference, templateFiles } from "./diff-engines.ts";

test("both engines build the templates of testdata to the same states, step by step", async (t) => {
  const found = await findTerraform({ setting: "", path: process.env["PATH"] ?? "" }).catch(() => undefined);
  if (found === undefined) return t.skip("Terraform is not on PATH: the engines cannot be compared");
  const pair = enginePair(await tempDir(t));
  const root = join(repoRoot, "src/provisioner/native/testdata/engines");
  const names = readdirSync(root);
  assert.ok(names.length >= 8);
  for (const name of names) {
    const differences = await compareEngines(pair, templateFiles(join(root, name)));
    const lines = differences.map(
      ({ step, what, native, terraform }) =>
        `${name}, step ${step}, ${what}${firstDifference(native, terraform)}`,
    );
    assert.deepEqual(lines, []);
  }
});
