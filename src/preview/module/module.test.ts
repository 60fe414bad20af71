import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { tempDir } from "#testutil/testutil.ts";
import { parseFile } from "../hcl/parser.ts";
import { ancestors, buildGraph, findCycle } from "./graph.ts";
import { loadModule } from "./load.ts";

async function load(t: TestContext, files: Readonly<Record<string, string>>) {
  const dir = await tempDir(t);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return { dir, root: loadModule(dir) };
}

describe("loadModule()", () => {
  it("merges override files into what they name", async (t) => {
    const { root } = await load(t, {
      "main.tf":
        'locals {\n  a = 1\n}\nresource "x" "y" {\n  p = 1\n  q = 2\n  n { v = 1 }\n  n { v = 2 }\n}\n',
      "z_override.tf": 'locals {\n  a = 2\n}\nresource "x" "y" {\n  q = 3\n  n { v = 9 }\n}\n',
    });
    assert.deepEqual(root.diagnostics, []);
    const block = root.resources.get("x.y")?.block;
    assert.equal(block?.body.blocks.length, 1);
    assert.deepEqual([...(block?.body.attributes.keys() ?? [])], ["p", "q"]);
    assert.equal(root.locals.get("a")?.source.file, "z_override.tf");
  });

  it("says where a declaration is repeated or misses a label", async (t) => {
    const { root } = await load(t, {
      "main.tf":
        'variable "a" {}\nvariable "a" {}\nresource "x" {}\nresource "x" "y" {\n  count = 1\n  for_each = {}\n}\n',
    });
    assert.deepEqual(
      root.diagnostics.map(({ summary, range }) => [summary, range?.start.line]),
      [
        ["Duplicate variable declaration", 2],
        ["Missing name for resource", 3],
        ['Invalid combination of "count" and "for_each"', 4],
      ],
    );
  });

  it("follows no module and no link out of the template", async (t) => {
    const outside = await tempDir(t);
    writeFileSync(join(outside, "x.tf"), 'variable "leaked" {}\n');
    const { dir } = await load(t, {
      "main.tf": 'module "up" {\n  source = "../"\n}\nmodule "link" {\n  source = "./link"\n}\n',
    });
    symlinkSync(outside, join(dir, "link"));
    symlinkSync(join(outside, "x.tf"), join(dir, "y.tf"));
    const root = loadModule(dir);
    assert.equal(root.calls.get("up")?.module, undefined);
    assert.equal(root.calls.get("link")?.module, undefined);
    assert.equal(root.variables.size, 0);
    assert.equal(root.diagnostics[0]?.summary, "Failed to read file");
  });

  it("stops at modules that call themselves", async (t) => {
    const { root } = await load(t, { "main.tf": 'module "again" {\n  source = "./"\n}\n' });
    let depth = 0;
    for (let at = root.calls.get("again")?.module; at; at = at.calls.get("again")?.module) depth += 1;
    assert.ok(depth <= 20);
  });
});

describe("the graph", () => {
  it("goes through locals, variables and outputs of modules", async (t) => {
    const { root } = await load(t, {
      "main.tf":
        'locals {\n  v = t.a.id\n}\nresource "t" "a" {}\nmodule "m" {\n  source = "./m"\n  in = local.v\n}\nresource "t" "b" {\n  x = module.m.out\n}\n',
      "m/main.tf":
        'variable "in" {}\nresource "t" "inner" {\n  x = var.in\n}\noutput "out" {\n  value = t.inner.id\n}\n',
    });
    const graph = buildGraph(root);
    const needs = [...ancestors(graph, "t.b")].filter((name) => graph.nodes.get(name)?.resource).sort();
    assert.deepEqual(needs, ["module.m.t.inner", "t.a"]);
    assert.equal(findCycle(graph), undefined);
  });

  it("names a cycle", async (t) => {
    const { root } = await load(t, {
      "main.tf": "locals {\n  a = local.b\n  b = local.c\n  c = local.a\n}\n",
    });
    assert.deepEqual(findCycle(buildGraph(root))?.toSorted(), ["local.a", "local.b", "local.c"]);
  });
});

it("a file of a megabyte is read in a fraction of a second", (t) => {
  const block =
    'resource "terraform_data" "r" {\n  input = { a = "x-${var.y}", b = [1, 2, upper("q")] }\n  # comment\n}\n';
  const text = block.repeat(Math.ceil(1_000_000 / block.length));
  const began = realClock.monotonic();
  assert.ok(parseFile("big.tf", text).body);
  t.diagnostic(`${(realClock.monotonic() - began).toFixed(0)} ms`);
});
