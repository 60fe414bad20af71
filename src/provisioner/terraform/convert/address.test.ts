import assert from "node:assert/strict";
import { test } from "node:test";
import { labelOf, modulePath, parseAddress, sameModuleInstance } from "./address.ts";

test("addresses lose their indexes, in modules too, whatever the keys hold", () => {
  const cases: readonly (readonly [address: string, label: string, modules: string])[] = [
    ["coder_agent.main", "coder_agent.main", ""],
    ["coder_agent.main[0]", "coder_agent.main", ""],
    ['docker_container.dev["a.b[0]"]', "docker_container.dev", ""],
    [
      'module.a["x \\" . y"].module.b[12].t.n["k"]',
      "module.a.module.b.t.n",
      'module.a["x \\" . y"].module.b[12]',
    ],
    ["module.a.data.coder_parameter.p", "module.a.data.coder_parameter.p", "module.a"],
    ["module.module.terraform_data.data", "module.module.terraform_data.data", "module.module"],
  ];
  for (const [address, label, modules] of cases) {
    assert.equal(labelOf(address), label);
    assert.equal(modulePath(address), modules);
  }
});

test("what is no address has a label up to its first bracket and says so as its module path", () => {
  for (const text of ["", "a", "a.b.c.d", "a..b", "a.b.", 'a.b["open', "module.a", "a b.c"]) {
    assert.equal(parseAddress(text), undefined, text);
    assert.equal(modulePath(text), "invalid terraform address");
  }
  assert.equal(labelOf('a.b["open'), "a.b");
});

test("sameModuleInstance() compares the module path that both share", () => {
  assert.ok(sameModuleInstance("module.a[0].t.x", "module.a[0].t.y"));
  assert.ok(!sameModuleInstance("module.a[0].t.x", "module.a[1].t.y"));
  assert.ok(sameModuleInstance("t.x", "module.a[1].t.y"));
  assert.ok(sameModuleInstance("module.b[0].t.x", "module.a[1].t.y"));
  assert.ok(!sameModuleInstance("module.a.module.b[0].t.x", 'module.a.module.b["k"].t.y'));
});
