import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { tempDir } from "#testutil/testutil.ts";
import { parseTemplate, type ParsedTemplate } from "./parse.ts";

async function parsed(t: TestContext, files: Readonly<Record<string, string>>): Promise<ParsedTemplate> {
  const dir = await tempDir(t);
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return parseTemplate(dir);
}

test("variables come by file and line; JSON files and overrides count", async (t) => {
  const { error, templateVariables } = await parsed(t, {
    "b.tf": 'variable "late" {\n type = "string"\n default = "x"\n}\n',
    "a.tf":
      'variable "one" {\n description = "One"\n default = { b = [1, 0.5], a = "<&>" }\n}\nvariable "two" {}\n',
    "c.tf.json":
      '{"variable": {"j": {"type": "number", "default": 3}, "k": {"default": null, "sensitive": true}}}',
    "x_override.tf": 'variable "two" {\n default = true\n sensitive = true\n}\n',
    ".hidden.tf": "variable broken",
  });
  assert.equal(error, "");
  assert.deepEqual(
    templateVariables.map((one) => [one.name, one.type, one.defaultValue, one.required, one.sensitive]),
    [
      ["one", "", '{"a":"\\u003c\\u0026\\u003e","b":[1,0.5]}', false, false],
      ["two", "", "true", false, true],
      ["late", "string", "x", false, false],
      ["j", "number", "3", false, false],
      ["k", "", "", true, true],
    ],
  );
});

test("what cannot be read names file and line", async (t) => {
  const broken = await parsed(t, {
    "main.tf": 'variable "a" {}\nvariable "b" {\n  default = \n}\n',
    "j.tf.json": "{",
  });
  assert.match(broken.error, /^load module: /);
  assert.match(broken.error, /ERROR: .*\(main\.tf:\d\)/);
  assert.match(broken.error, /\(j\.tf\.json:1\)/);
  assert.deepEqual(broken.templateVariables, []);
  const reference = await parsed(t, { "main.tf": 'variable "a" {\n  default = var.b\n}\n' });
  assert.match(reference.error, /main\.tf:2/);
});

const tags = (body: string): string => `data "coder_workspace_tags" "t" {\n${body}\n}\n`;

test("workspace tags keep their expressions; mistakes say which", async (t) => {
  const good = await parsed(t, { "a.tf": tags('tags = {\n "a b" = "x-${var.y}"\n c = 1 + 2\n}') });
  assert.deepEqual(good.workspaceTags, { "a b": '"x-${var.y}"', c: "1 + 2" });
  for (const [files, message] of [
    [{ "a.tf": tags("") }, /^can't load workspace tags: "tags" attribute is required/],
    [{ "a.tf": tags("tags = local.x") }, /key-value map/],
    [{ "a.tf": tags("tags = { a = 1 }"), "b.tf": tags("tags = { a = 2 }") }, /"a" is defined multiple times/],
  ] as const) {
    const { error, workspaceTags } = await parsed(t, files);
    assert.match(error, message);
    assert.deepEqual(workspaceTags, {});
  }
});
