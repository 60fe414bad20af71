import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decode } from "#codersdk/wire-decode.ts";
import { TemplateVersionParameter } from "#codersdk/templateversions.ts";
import {
  distance,
  parsePairs,
  readParameterFile,
  resolveParameters,
  type ParameterFacts,
} from "./parameters.ts";
import { parseSshTarget, parseWorkspace } from "./workspaceref.ts";

const parameter = (fields: Readonly<Record<string, unknown>>): TemplateVersionParameter =>
  decode(TemplateVersionParameter, {
    type: "string",
    form_type: "input",
    mutable: true,
    options: [],
    ...fields,
  });

const region = parameter({
  name: "region",
  default_value: "eu",
  options: [
    { name: "EU", value: "eu" },
    { name: "US", value: "us" },
  ],
});
const size = parameter({
  name: "size",
  type: "number",
  default_value: "2",
  validation_min: 1,
  validation_max: 8,
});
const fixed = parameter({ name: "fixed", mutable: false, required: true });
const once = parameter({ name: "once", ephemeral: true, default_value: "x" });

const facts = (change: Partial<ParameterFacts>): ParameterFacts => ({
  parameters: [region, size, fixed, once],
  given: [],
  ephemeral: [],
  last: [],
  isNew: true,
  useDefaults: false,
  alwaysPrompt: false,
  ...change,
});

describe("resolveParameters()", () => {
  const asked = async (
    change: Partial<ParameterFacts>,
  ): Promise<{ names: string[]; values: Record<string, string> }> => {
    const names: string[] = [];
    const values = await resolveParameters(facts(change), async ({ name, default_value }) => {
      names.push(name);
      return default_value || "answer";
    });
    return { names, values: Object.fromEntries(values.map(({ name, value }) => [name, value])) };
  };

  it("a new workspace is asked for all but ephemeral ones", async () => {
    const { names, values } = await asked({ given: [{ name: "region", value: "us" }] });
    assert.deepEqual(names, ["size", "fixed"]);
    assert.deepEqual(values, { region: "us", size: "2", fixed: "answer" });
  });

  it("defaults answer where there are any", async () => {
    assert.deepEqual((await asked({ useDefaults: true })).names, ["fixed"]);
  });

  it("an existing workspace keeps its values without sending them, and is asked what does not fit any more", async () => {
    const last = [
      { name: "region", value: "gone" },
      { name: "size", value: "4" },
      { name: "fixed", value: "f" },
    ];
    const { names, values } = await asked({ isNew: false, last });
    assert.deepEqual(names, ["region"]);
    assert.deepEqual(values, { region: "eu" });
  });

  it("refuses a changed immutable value, an unknown name, and values against the rules", async () => {
    const last = [{ name: "fixed", value: "f" }];
    await assert.rejects(
      asked({ isNew: false, last, given: [{ name: "fixed", value: "g" }] }),
      /"fixed" is immutable/,
    );
    await assert.rejects(
      asked({ given: [{ name: "regoin", value: "eu" }] }),
      /not present in the template\. Did you mean: region/,
    );
    await assert.rejects(
      asked({ given: [{ name: "region", value: "mars" }] }),
      /"region": must be one of eu, us: received "mars"/,
    );
    await assert.rejects(asked({ given: [{ name: "size", value: "9" }] }), /at most 8/);
    await assert.rejects(asked({ given: [{ name: "size", value: "x" }] }), /must be a number/);
  });
});

describe("values given by a person", () => {
  it("pairs split at the first =", () => {
    assert.deepEqual(parsePairs(["a=b=c", "d="]), [
      { name: "a", value: "b=c" },
      { name: "d", value: "" },
    ]);
    assert.throws(() => parsePairs(["=x"]), /name=value/);
  });

  it("a file maps names to texts; lists become JSON", async () => {
    assert.deepEqual(await readParameterFile("a: x\nb: [1, 2]\nc: true\n", "f"), [
      { name: "a", value: "x" },
      { name: "b", value: "[1,2]" },
      { name: "c", value: "true" },
    ]);
    await assert.rejects(readParameterFile("- a", "f"), /must be a YAML map/);
  });

  it("property: distance is zero only for equal words, symmetric, at most the longer length", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        assert.equal(distance(a, b) === 0, a === b);
        assert.equal(distance(a, b), distance(b, a));
        assert.ok(distance(a, b) <= Math.max(a.length, b.length));
      }),
    );
  });
});

describe("names of workspaces", () => {
  it("name, owner/name, owner--name", () => {
    assert.deepEqual(parseWorkspace("dev"), { owner: "me", name: "dev" });
    assert.deepEqual(parseWorkspace("ann/dev"), { owner: "ann", name: "dev" });
    assert.deepEqual(parseWorkspace("ann--dev"), { owner: "ann", name: "dev" });
    for (const bad of ["", "a/b/c", "/x", "x/"]) assert.throws(() => parseWorkspace(bad), /received/);
  });

  const cases: [string, string, string, string | undefined][] = [
    ["dev", "me", "dev", undefined],
    ["dev.main", "me", "dev", "main"],
    ["ann/dev", "ann", "dev", undefined],
    ["ann--dev", "ann", "dev", undefined],
    ["ann/dev.main", "ann", "dev", "main"],
    ["ann--dev--main", "ann", "dev", "main"],
    ["main.dev.ann", "ann", "dev", "main"],
    ["coder.dev", "me", "dev", undefined],
    ["main.dev.ann.coder", "ann", "dev", "main"],
  ];
  for (const [host, owner, name, agent] of cases) {
    it(`ssh ${host}`, () => {
      assert.deepEqual(parseSshTarget(host, { prefix: "coder.", suffix: "coder" }), { owner, name, agent });
    });
  }
  it("ssh refuses what is none of these", () => {
    for (const bad of ["", "a..b", "a.b.c.d"]) assert.throws(() => parseSshTarget(bad), /received/);
  });
});
