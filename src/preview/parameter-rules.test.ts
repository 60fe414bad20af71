import assert from "node:assert/strict";
import { test } from "node:test";
import { isGoFloat, parseGoInt, parseStringList } from "./go-values.ts";
import { checkValue, type ParameterFacts, type ParameterValidation } from "./parameter-rules.ts";

const plain: ParameterFacts = { type: "string", formType: "", options: [], validation: null, default: null };
const rules: ParameterValidation = { min: null, max: null, monotonic: "", regex: "", error: "" };
const options = [
  { name: "A", value: "a" },
  { name: "B", value: "b" },
];

interface Case {
  readonly name: string;
  readonly parameter: Partial<ParameterFacts>;
  readonly input?: string;
  readonly previous?: string;
  /** Places of the problems, "" for the whole parameter. */
  readonly at: readonly string[];
  readonly detail?: RegExp;
}

const cases: readonly Case[] = [
  { name: "nothing given", parameter: {}, at: [] },
  {
    name: "form type with options only",
    parameter: { formType: "radio" },
    at: ["form_type"],
    detail: /without options/,
  },
  {
    name: "form type of another type",
    parameter: { formType: "slider" },
    at: ["form_type"],
    detail: /input, textarea$/,
  },
  { name: "unknown type", parameter: { type: "float" }, at: ["form_type"], detail: /"float"/ },
  { name: "option names", parameter: { options: [...options, { name: "A", value: "c" }] }, at: [""] },
  { name: "option values", parameter: { options: [...options, { name: "C", value: "a" }] }, at: [""] },
  { name: "option types, each", parameter: { type: "number", options }, at: ["", ""] },
  { name: "options without a value", parameter: { options }, at: [] },
  { name: "an empty input is no option", parameter: { options }, input: "", at: [""] },
  { name: "default no option", parameter: { options, default: "z" }, at: ["default"], detail: /"z"/ },
  { name: "input instead of default", parameter: { options, default: "z" }, input: "a", at: [] },
  {
    name: "multi-select",
    parameter: { type: "list(string)", formType: "multi-select", options },
    input: '["a","q","r"]',
    at: [""],
    detail: /q, r$/,
  },
  {
    name: "multi-select no list",
    parameter: { type: "list(string)", formType: "multi-select", options },
    input: "a",
    at: [""],
  },
  {
    name: "radio of lists",
    parameter: { type: "list(string)", options: [{ name: "L", value: '["a"]' }] },
    input: '["a"]',
    at: [],
  },
  { name: "min on string", parameter: { validation: { ...rules, min: 1 } }, input: "x", at: [""] },
  {
    name: "max on bool",
    parameter: { type: "bool", validation: { ...rules, max: 1 } },
    input: "true",
    at: [""],
  },
  {
    name: "monotonic on list",
    parameter: { type: "list(string)", validation: { ...rules, monotonic: "increasing" } },
    input: "[]",
    at: [""],
  },
  {
    name: "regex on number",
    parameter: { type: "number", validation: { ...rules, regex: "1", error: "e" } },
    input: "1",
    at: [""],
  },
  {
    name: "regex unanchored",
    parameter: { validation: { ...rules, regex: "b", error: "e" } },
    input: "abc",
    at: [],
  },
  {
    name: "regex mismatch",
    parameter: { validation: { ...rules, regex: "^b", error: "start with b" } },
    input: "abc",
    at: [""],
    detail: /^start with b/,
  },
  { name: "regex without error", parameter: { validation: { ...rules, regex: "^a" } }, input: "a", at: [""] },
  {
    name: "regex broken",
    parameter: { validation: { ...rules, regex: "([", error: "e" } },
    input: "a",
    at: [""],
    detail: /compiled/,
  },
  {
    name: "regex of another engine",
    parameter: { validation: { ...rules, regex: "(?=a)", error: "e" } },
    input: "a",
    at: [""],
  },
  {
    name: "unset with validation",
    parameter: { validation: { ...rules, regex: ".", error: "one" } },
    at: [""],
  },
  {
    name: "not an integer",
    parameter: { type: "number", validation: { ...rules, max: 7 } },
    input: "1.5",
    at: [""],
  },
  {
    name: "too small",
    parameter: { type: "number", validation: { ...rules, min: 3 } },
    input: "2",
    at: [""],
    detail: /minimum 3/,
  },
  {
    name: "own text",
    parameter: { type: "number", validation: { ...rules, max: 7, error: "{value} > {max} ({min})" } },
    input: "8",
    at: [""],
    detail: /^8 > 7 \(0\)$/,
  },
  {
    name: "increasing",
    parameter: { type: "number", validation: { ...rules, monotonic: "increasing", error: "x" } },
    input: "4",
    previous: "6",
    at: [""],
    detail: /previous value: 6/,
  },
  {
    name: "decreasing",
    parameter: { type: "number", validation: { ...rules, monotonic: "decreasing" } },
    input: "7",
    previous: "6",
    at: [""],
  },
  {
    name: "equal",
    parameter: { type: "number", validation: { ...rules, monotonic: "decreasing" } },
    input: "6",
    previous: "6",
    at: [],
  },
  {
    name: "previous unreadable",
    parameter: { type: "number", validation: { ...rules, monotonic: "decreasing" } },
    input: "6",
    previous: "x",
    at: [],
  },
  {
    name: "monotonic word",
    parameter: { type: "number", validation: { ...rules, monotonic: "up" } },
    input: "6",
    at: [""],
  },
  { name: "bool", parameter: { type: "bool", validation: rules }, input: "1", at: [""] },
  { name: "bool by type", parameter: { type: "bool" }, input: "T", at: [] },
  { name: "float by type", parameter: { type: "number" }, input: "1e3", at: [] },
  {
    name: "empty number",
    parameter: { type: "number", default: "1" },
    input: "",
    at: [""],
    detail: /"" is not a number/,
  },
  { name: "bad list default", parameter: { type: "list(string)", default: "a" }, at: ["default"] },
];

for (const { name, parameter, input, previous, at, detail } of cases) {
  test(`checkValue(): ${name}`, () => {
    const { problems } = checkValue(
      { ...plain, ...parameter },
      { input: input ?? null, previous: previous ?? null },
    );
    assert.deepEqual(
      problems.map((problem) => problem.at ?? ""),
      at,
      JSON.stringify(problems),
    );
    if (detail) assert.match(problems[0]?.detail ?? "", detail);
  });
}

test("the form type follows the type and the options", () => {
  const formType = (parameter: Partial<ParameterFacts>): string =>
    checkValue({ ...plain, ...parameter }, { input: null, previous: null }).formType;
  assert.equal(formType({}), "input");
  assert.equal(formType({ options }), "radio");
  assert.equal(formType({ type: "bool" }), "checkbox");
  assert.equal(formType({ type: "list(string)" }), "tag-select");
  assert.equal(formType({ type: "number", formType: "slider" }), "slider");
});

test("a regex that backtracks without end elsewhere is linear here", () => {
  const validation = { ...rules, regex: "^(a+)+$", error: "e" };
  const { problems } = checkValue(
    { ...plain, validation },
    { input: `${"a".repeat(5000)}!`, previous: null },
  );
  assert.equal(problems.length, 1);
});

test("numbers and lists read as in Go", () => {
  for (const text of ["1", "-1.5", ".5", "5.", "1e3", "1_000", "0x1p-2", "Inf", "nan", "+infinity"]) {
    assert.ok(isGoFloat(text), text);
  }
  for (const text of ["", " 1", "1 ", "_1", "1__0", "1e", "0x1", "1e999", "0x", "."]) {
    assert.ok(!isGoFloat(text), text);
  }
  assert.equal(parseGoInt("+0007"), 7n);
  assert.equal(parseGoInt("9223372036854775808"), undefined);
  assert.equal(parseGoInt("1.0"), undefined);
  assert.equal(parseGoInt("9".repeat(100_000)), undefined);
  assert.deepEqual(parseStringList('["a",null]'), ["a", ""]);
  assert.deepEqual(parseStringList("null"), []);
  assert.equal(parseStringList('{"a":1}'), undefined);
  assert.equal(parseStringList("[1]"), undefined);
});
