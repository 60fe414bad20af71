import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  TemplateVariableSchema,
  VariableValueSchema,
  type TemplateVariable,
  type VariableValue,
} from "#rpc/gen/provisionersdk_pb.js";
import { parseFile } from "#preview/hcl/parser.ts";
import { variablesFile } from "./variables.ts";

const value = (name: string, text: string): VariableValue =>
  create(VariableValueSchema, { name, value: text });
const declared = (name: string, type: string): TemplateVariable =>
  create(TemplateVariableSchema, { name, type });

test("plain types take text, others expressions", () => {
  const file = variablesFile(
    [value("s", "a b"), value("n", "5"), value("u", "x"), value("l", '["a", 1]'), value("gone", "y")],
    [declared("s", "string"), declared("n", " number "), declared("u", ""), declared("l", "list(string)")],
  );
  assert.equal(file, 's = "a b"\nn = "5"\nu = "x"\nl = ["a", 1]\ngone = "y"\n');
});

test("no text leaves its string, and none is a template", () => {
  const hostile = '"\nother = "x" ${file("/etc/passwd")} %{ if true } \\ \u0007 $${ é';
  const file = variablesFile([value("s", hostile)], []);
  assert.equal(file.split("\n").length, 2);
  const { body, diagnostics } = parseFile("x.tfvars", file);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual([...(body?.attributes.keys() ?? [])], ["s"]);
  const parsed = body?.attributes.get("s")?.value;
  assert.equal(parsed?.kind, "literal");
  assert.equal(parsed?.kind === "literal" && parsed.value.content, hostile);
});

test("a name that is none is refused", () => {
  assert.throws(() => variablesFile([value("a = 1\nb", "x")], []), /no name of a variable: "a = 1/);
});
