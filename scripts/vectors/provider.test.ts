import assert from "node:assert/strict";
import { test } from "node:test";
import { findTerraform } from "#provisioner/terraform/locate.ts";
import { referencePath } from "#testutil/testutil.ts";
import { readCases, runCase, runCaseNative } from "./provider.ts";

/** Each kind of diagnostic once: the whole file is what `npm run vectors` is for. */
const some = [
  "agent-os",
  "app-command-and-url",
  "app-hidden-warnings",
  "parameter-regex-and-min",
  "preset-overlap",
];

test("the provider says what upstream's says, in the same place", async (t) => {
  const file = referencePath(t, "terraform/provider-errors.json");
  if (file === undefined) return;
  const terraform = await findTerraform({ setting: "", path: process.env["PATH"] ?? "" }).catch(
    () => undefined,
  );
  if (terraform === undefined) return t.skip("Terraform is not on PATH: its provider cannot be tried");
  const cases = (await readCases(file)).filter(({ name }) => some.includes(name));
  assert.equal(cases.length, some.length);
  await Promise.all(
    cases.map(async (one) => {
      const { exit, diagnostics } = one;
      assert.deepEqual(await runCase(terraform, one), { exit, diagnostics }, one.name);
    }),
  );
});

test("the built-in engine says the same", async (t) => {
  const file = referencePath(t, "terraform/provider-errors.json");
  if (file === undefined) return;
  let compared = 0;
  for (const one of await readCases(file)) {
    const actual = await runCaseNative(one);
    if (!actual) continue;
    compared += 1;
    assert.deepEqual(actual, { exit: one.exit, diagnostics: one.diagnostics }, one.name);
  }
  assert.ok(compared > 50, `only ${compared} cases were compared`);
});
