import assert from "node:assert/strict";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { referencePath, tempDir } from "#testutil/testutil.ts";
import { run } from "./rbac.ts";

test("every recorded decision and filter is ours", async (t) => {
  const path = referencePath(t, "rbac-vectors.jsonl.gz");
  if (path === undefined) return;
  const { equal, of, notYet, failures } = await run([path]);
  assert.deepEqual(failures.slice(0, 5), []);
  assert.equal(equal, of);
  assert.equal(notYet, 0);
});

test("a wrong decision and a wrong filter are told, each with who asked what", async (t) => {
  const roles = referencePath(t, "rbac-roles.json");
  if (roles === undefined) return;
  const dir = await tempDir(t);
  await cp(roles, join(dir, "rbac-roles.json"));
  const [org, ada, bob] = [1, 2, 3].map((n) => `6b1f3a52-4c1b-4d0e-9f55-0d7a3c1c000${n}`);
  const lines = [
    { about: {} },
    { orgs: { [String(org)]: "everyone" } },
    { s: 0, id: ada, roles: ["member", `organization-member:${org}`] },
    { o: 0, type: "workspace", id: bob, owner: ada, org },
    { o: 1, type: "workspace", id: ada, owner: bob, org },
    { set: "workspace", first: 0, count: 2 },
    [0, "read", 0, 1],
    [0, "read", 1, 1],
    { filter: [0, "read", "workspace", [0]] },
    { filter: [0, "read", "workspace", [0, 1]] },
  ];
  const file = join(dir, "vectors.jsonl");
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const { equal, of, failures } = await run([file]);
  assert.deepEqual([equal, of], [2, 4]);
  assert.deepEqual(failures, [
    "subject 0 read workspace (object 1): false, recorded true",
    "filter 0 read workspace: picks [0], recorded [0 1]",
  ]);
});
