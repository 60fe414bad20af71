import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { realClock } from "#quartz/clock.ts";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { tempDir } from "#testutil/testutil.ts";
import { encodeJson } from "../cty/json.ts";
import * as v from "../cty/value.ts";
import { makeFunctions } from "../functions/functions.ts";
import { evaluate } from "./evaluate.ts";
import { parseExpressionText, parseFile } from "./parser.ts";
import { Budget, type Scope } from "./scope.ts";
import { HclError } from "./source.ts";
import { corpus } from "./testdata/expressions.ts";

function scope(base: string, names: Readonly<Record<string, v.Value>> = {}, steps?: number): Scope {
  return {
    budget: new Budget(steps),
    function: makeFunctions({
      clock: realClock,
      rand: cryptoRand,
      planTime: new Date(0),
      files: { base, root: base },
      impure: "now",
    }),
    lookup: (name) => {
      const value = names[name];
      return value ? { value, used: 0 } : undefined;
    },
  };
}

const run = (text: string, names: Readonly<Record<string, v.Value>> = {}, steps?: number): v.Value =>
  evaluate(parseExpressionText(text), scope("/nonexistent", names, steps));

/** As Terraform is asked: JSON of the value, or that it cannot be evaluated. */
function ours(text: string, base: string): string {
  try {
    return encodeJson(evaluate(parseExpressionText(text), scope(base)));
  } catch (error) {
    if (error instanceof HclError || error instanceof v.ValueError) return "<error>";
    throw error;
  }
}

function hasTerraform(t: TestContext): boolean {
  try {
    execFileSync("terraform", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    t.skip("terraform is not on PATH: expressions are not compared with it");
    return false;
  }
}

function writeFiles(dir: string): void {
  mkdirSync(join(dir, "data"));
  writeFileSync(join(dir, "data/greeting.txt"), "hello\nworld\n");
  writeFileSync(
    join(dir, "data/list.tftpl"),
    "%{ for n in names ~}\n  - ${n}\n%{ endfor ~}\nlast: ${upper(names[0])}%{ if loud }!%{ else }.%{ endif }\n",
  );
}

describe("expressions", () => {
  it("evaluate as Terraform does, over the whole corpus", async (t) => {
    if (!hasTerraform(t)) return;
    const dir = await tempDir(t);
    writeFiles(dir);
    const outputs = corpus.map(
      (text, at) =>
        `output "o${at}" {\n  value = try(jsonencode(nonsensitive(sensitive(${text}\n))), "<error>")\n}\n`,
    );
    writeFileSync(join(dir, "main.tf"), outputs.join("\n"));
    execFileSync("terraform", ["plan", "-input=false", "-no-color", "-out=p", "-lock=false"], {
      cwd: dir,
      stdio: "pipe",
    });
    const shown: unknown = JSON.parse(
      execFileSync("terraform", ["show", "-json", "p"], { cwd: dir, encoding: "utf8" }),
    );
    const { planned_values } = Object(shown);
    const differ = corpus.flatMap((text, at) => {
      const theirs: unknown = planned_values.outputs[`o${at}`]?.value;
      const mine = ours(text, dir);
      return theirs === mine ? [] : [`${text}\n  terraform: ${String(theirs)}\n  ours:      ${mine}`];
    });
    assert.equal(differ.length, 0, `${differ.length} of ${corpus.length} differ:\n${differ.join("\n")}`);
  });

  it("refuse what has no end or goes too deep, with the place", () => {
    const bad: readonly (readonly [string, RegExp])[] = [
      ['"abc', /Unterminated template string/],
      ["foo(", /Invalid syntax/],
      ["[1, 2", /Invalid syntax/],
      ["${", /Invalid/],
      ["1 +", /Invalid syntax/],
      ['"%{ if true }x"', /Unclosed template directive/],
      ['"\\q"', /Invalid escape sequence/],
      ["(".repeat(5000) + "1", /Nesting too deep/],
      ["-".repeat(5000) + "1", /Nesting too deep/],
      [`${'"${'.repeat(3000)}1`, /Nesting too deep/],
      ["/* x", /Unterminated comment/],
      ["a ^ b", /Invalid character/],
    ];
    for (const [text, want] of bad) assert.throws(() => parseExpressionText(text), want, text.slice(0, 20));
  });

  it("stop when they cost too much", () => {
    const loops = "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]";
    assert.throws(() => run(loops, {}, 100_000), /too many steps/);
    assert.throws(() => run(`can(${loops})`, {}, 100_000), /too many steps/, "can() must not swallow it");
    assert.throws(() => run('format("%1000000d", 1)'), HclError);
    assert.throws(() => run("setproduct(range(1000), range(1000), range(1000))"), /elements/);
  });

  it("carry unknown and sensitive through", () => {
    const names = {
      unknown: v.unknownOf({ kind: "string" }),
      secret: v.mark(v.str("s3cret")),
      box: v.object([
        ["token", v.mark(v.str("t"))],
        ["plain", v.str("p")],
      ]),
    };
    assert.equal(run('"a${unknown}"', names).content, undefined);
    assert.equal(run("length([unknown, 1])", names).content !== undefined, true);
    assert.equal(run("false && unknown == 1", names).content, false);
    assert.equal(run('upper("${secret}x")', names).sensitive, true);
    assert.equal(run("box.token", names).sensitive, true);
    assert.equal(run("box.plain", names).sensitive, false);
    assert.equal(run("jsonencode(box)", names).sensitive, true);
    assert.equal(run("nonsensitive(secret)", names).sensitive, false);
    assert.equal(run('secret == "x" ? 1 : 2', names).sensitive, true);
    assert.equal(run("[for x in [secret] : x][0]", names).sensitive, true);
  });

  it("read no file outside of the template", () => {
    assert.throws(() => run('file("../../etc/passwd")'), /outside of the template/);
    assert.throws(() => run('file("/etc/passwd")'), /outside of the template/);
  });
});

describe("parseFile", () => {
  it("gives attributes and blocks with their places", () => {
    const { body, diagnostics, source } = parseFile(
      "main.tf",
      'a = 1 # one\nresource "x" "y" {\n  b = "t"\n  nested {}\n  one_line { c = 2 }\n}\n',
    );
    assert.deepEqual(diagnostics, []);
    assert.deepEqual([...(body?.attributes.keys() ?? [])], ["a"]);
    const block = body?.blocks[0];
    assert.deepEqual([block?.type, block?.labels], ["resource", ["x", "y"]]);
    assert.equal(source.range(block?.start ?? 0, block?.headEnd ?? 0).start.line, 2);
    assert.equal(source.text.slice(block?.start, block?.headEnd), 'resource "x" "y"');
    assert.deepEqual(
      block?.body.blocks.map((inner) => inner.type),
      ["nested", "one_line"],
    );
  });

  it("names file, line and column of a mistake", () => {
    const { body, diagnostics } = parseFile("bad.tf", "a = 1\na = 2\n");
    assert.equal(body, undefined);
    assert.equal(diagnostics[0]?.summary, "Attribute redefined");
    assert.deepEqual(diagnostics[0]?.range?.start, { line: 2, column: 1, offset: 6 });
    assert.match(parseFile("b.tf", "x {\n y = 1\n").diagnostics[0]?.detail ?? "", /end of the file/);
    assert.match(parseFile("b.tf", "x = 1 y = 2\n").diagnostics[0]?.detail ?? "", /newline/);
    assert.match(parseFile("b.tf", "a { b { c = 1 } }\n").diagnostics[0]?.summary ?? "", /single-argument/);
    assert.match(parseFile("b.tf", "a {\n".repeat(5000)).diagnostics[0]?.summary ?? "", /too deep/);
  });
});
