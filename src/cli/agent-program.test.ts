import assert from "node:assert/strict";
import { test } from "node:test";
import { renderHelp } from "#serpent/help.ts";
import { isAgent, reaperOf } from "./agent-argv.ts";
import { agentProgram } from "./agent-program.ts";
import { root } from "./root.ts";

test("only an agent that is the first process becomes something else, and runs again as it was run", () => {
  const facts = {
    pid: 1,
    execPath: "/node",
    execArgv: ["--x"],
    argv: ["/node", "/c/coder.mjs", "agent", "-v"],
    argv0: "node",
    release: false,
  };
  const words = (more: object) => reaperOf({ ...facts, ...more })?.args.slice(4);
  assert.deepEqual(words({}), ["/node", "--x", "/c/coder.mjs", "agent", "-v", "--no-reap"]);
  const release = { release: true, execPath: "/cache/coder-1/bin/coder", argv: ["/x", "/x", "agent"] };
  assert.deepEqual(words({ ...release, argv0: "/usr/bin/coder" }), ["/usr/bin/coder", "agent", "--no-reap"]);
  assert.deepEqual(words({ ...release, argv0: "coder" }), ["/cache/coder-1/coder", "agent", "--no-reap"]);
  assert.equal(words({ pid: 2 }), undefined);
  assert.equal(words({ argv: ["/node", "/c/coder.mjs", "agent", "--no-reap"] }), undefined);
  assert.equal(words({ argv: ["/node", "/c/coder.mjs", "list"] }), undefined);
});

test("an agent's command line is the same in the program that has only it", () => {
  const find = (program: typeof root) => program.children?.find(({ use }) => use === "agent");
  const [whole, only] = [find(root), find(agentProgram)];
  assert.ok(whole && only);
  assert.equal(renderHelp([agentProgram, only], 80), renderHelp([root, whole], 80));
  assert.equal(isAgent(["agent", "--help"]), true);
  assert.equal(isAgent(["--verbose", "agent"]), false);
});
