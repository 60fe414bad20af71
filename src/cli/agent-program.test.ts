import assert from "node:assert/strict";
import { test } from "node:test";
import { renderHelp } from "#serpent/help.ts";
import { isAgent } from "./agent-argv.ts";
import { agentProgram } from "./agent-program.ts";
import { root } from "./root.ts";

test("an agent's command line is the same in the program that has only it", () => {
  const find = (program: typeof root) => program.children?.find(({ use }) => use === "agent");
  const [whole, only] = [find(root), find(agentProgram)];
  assert.ok(whole && only);
  assert.equal(renderHelp([agentProgram, only], 80), renderHelp([root, whole], 80));
  assert.equal(isAgent(["agent", "--help"]), true);
  assert.equal(isAgent(["--verbose", "agent"]), false);
});
