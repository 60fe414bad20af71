import assert from "node:assert/strict";
import { test } from "node:test";
import { planFacts } from "./plan-facts.ts";

function planOf(type: string, change: Record<string, unknown>): unknown {
  return {
    resource_changes: [{ address: `${type}.x`, type, change: { actions: ["delete", "create"], ...change } }],
  };
}

test("sensitive and unknown marks hide values at, above and below the path", () => {
  const facts = planFacts(
    planOf("aws_instance", {
      before: { a: { b: "<1>" }, list: [1], gone: null },
      after: { a: { b: "2" } },
      before_sensitive: { list: [true] },
      after_unknown: { list: true },
      replace_paths: [["list", 0], ["a", "b"], ["a"], ["gone"], ["nowhere"]],
    }),
  );
  assert.deepEqual(facts.resourceReplacements, [
    { resource: "aws_instance.x", paths: ["a", "a.b", "gone", "list.0", "nowhere"] },
  ]);
  assert.deepEqual(facts.replacementLogs, [
    "Resource replacements:",
    "  -/+ aws_instance.x (replace)",
    '      ~ a: {"b":"\\u003c1\\u003e"} -> {"b":"2"} (forces replacement)',
    '      ~ a.b: "\\u003c1\\u003e" -> "2" (forces replacement)',
    "      ~ gone: null -> (unavailable) (forces replacement)",
    "      ~ list.0: (sensitive value) -> (known after apply) (forces replacement)",
    "      ~ nowhere (forces replacement)",
  ]);
});

test("our own types are never reported; a replacement without paths says that it has no reason", () => {
  assert.deepEqual(planFacts(planOf("coder_agent", { replace_paths: [["os"]] })).replacementLogs, []);
  const facts = planFacts(planOf("null_resource", {}));
  assert.deepEqual(facts.resourceReplacements, []);
  assert.match(facts.replacementLogs.at(-1) ?? "", /replacement reason unavailable/);
  assert.ok(facts.replaces);
});

test("a change in place with replace paths is listed, not logged", () => {
  const facts = planFacts(planOf("null_resource", { actions: ["update"], replace_paths: [["a"]] }));
  assert.equal(facts.resourceReplacements.length, 1);
  assert.deepEqual(facts.replacementLogs, []);
  assert.equal(
    planFacts(planOf("t", { actions: ["no-op"], replace_paths: [["a"]] })).resourceReplacements.length,
    0,
  );
});
