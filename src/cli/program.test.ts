import assert from "node:assert/strict";
import { test } from "node:test";
import { ownProgram } from "./program.ts";

test("the path of this program, however it was started", () => {
  const node = { execPath: "/x/node", argv0: "node", release: false };
  for (const script of ["/c/src/cmd/coder.ts", "/c/.coder/program/0123abcd/coder.mjs"]) {
    assert.equal(ownProgram({ ...node, argv: ["/x/node", script] }), "/c/coder");
  }
  assert.equal(ownProgram({ ...node, argv: ["/x/node"] }), "/x/node");
  const release = { argv: [], execPath: "/home/u/.cache/coder/coder-1/bin/coder", release: true };
  assert.equal(ownProgram({ ...release, argv0: "/opt/my tools/coder" }), "/opt/my tools/coder");
  assert.equal(ownProgram({ ...release, argv0: "coder" }), "/home/u/.cache/coder/coder-1/coder");
});
