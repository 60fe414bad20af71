import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import fc from "fast-check";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { MockClock } from "#quartz/mock.ts";
import { tempDir } from "#testutil/testutil.ts";
import { type Command, CommandError, debugOptions, type Invocation, run } from "./command.ts";
import { parseFlags } from "./flags.ts";
import { option } from "./option.ts";
import { resolve, UsageError } from "./resolve.ts";
import * as types from "./values.ts";

const url = option(types.url, { flag: "url", env: "CODER_URL", description: "Where the server is." });
const verbose = option(types.bool, { flag: "verbose", shorthand: "v" });
const output = option(types.oneOf("table", "json"), { flag: "output", shorthand: "o", default: "table" });
const names = option(types.strings, { flag: "name", shorthand: "n", env: "NAMES" });

interface Outcome {
  readonly seen: Invocation | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

async function call(argv: string[], env: NodeJS.ProcessEnv = {}, fail?: Error): Promise<Outcome> {
  let seen: Invocation | undefined;
  const handler = async (invocation: Invocation): Promise<void> => {
    seen = invocation;
    if (fail) throw fail;
  };
  const list: Command = {
    use: "list [name]",
    aliases: ["ls"],
    short: "List things.",
    options: [output, names],
    args: { min: 0, max: 1 },
    handler,
  };
  const root: Command = {
    use: "coder",
    short: "Root.",
    options: [url, verbose, debugOptions],
    children: [
      { use: "things", short: "Manage things.", children: [list] },
      { use: "raw [words...]", short: "Raw.", handler },
    ],
  };
  const streams = [new PassThrough(), new PassThrough(), new PassThrough()] as const;
  const [stdin, stdout, stderr] = streams;
  await run(root, argv, {
    env,
    stdin,
    stdout,
    stderr,
    signal: new AbortController().signal,
    clock: new MockClock(),
    rand: cryptoRand,
    cwd: "/",
  });
  return { seen, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
}

describe("run()", () => {
  it("takes a parent's flags before and after the subcommand, and walks aliases", async () => {
    const { seen } = await call(["--url=a", "things", "-v", "ls", "one", "-o", "json"]);
    assert.equal(seen?.name, "coder things list");
    assert.deepEqual(seen?.args, ["one"]);
    assert.equal(seen?.get(url), "a");
    assert.equal(seen?.get(verbose), true);
    assert.equal(seen?.get(output), "json");
  });

  it("words after -- are arguments, whatever they look like", async () => {
    const { seen } = await call(["raw", "a", "--", "things", "-x"]);
    assert.deepEqual(seen?.args, ["a", "things", "-x"]);
    assert.equal(seen?.dash, 1);
  });

  it("a group without a word prints help; with an unknown word it is an error", async () => {
    assert.match((await call(["things"])).stdout, /SUBCOMMANDS:\n {4}list {4}List things\./);
    await assert.rejects(call(["things", "nope"]), /unrecognized subcommand "nope"/);
  });

  it("names an unknown flag and a wrong count", async () => {
    await assert.rejects(call(["things", "list", "--x"]), /"coder things list": unknown flag: --x/);
    await assert.rejects(call(["things", "list", "a", "b"]), /wanted between 0 and 1 args but got 2 \[a b\]/);
  });

  it("wraps a handler's error with the command, but not a usage error", async () => {
    await assert.rejects(
      call(["raw"], {}, new Error("boom")),
      (error: unknown) => error instanceof CommandError && error.command === "coder raw",
    );
    await assert.rejects(call(["raw"], {}, new UsageError("no")), UsageError);
  });

  it("help shows options with type, variable and default, and needs no required values", async () => {
    const { stdout } = await call(["things", "list", "--help"]);
    assert.match(stdout, /USAGE:\n {2}coder things list \[flags\] \[name\]/);
    assert.match(stdout, / {2}-o, --output table\|json \(default: table\)/);
    assert.match(stdout, / {2}-n, --name string-array, \$NAMES/);
  });

  it("--debug-options tells where each value came from and does not run", async () => {
    const { seen, stdout } = await call(["things", "list", "--debug-options", "-o", "json"], {
      CODER_URL: "x",
    });
    assert.equal(seen, undefined);
    assert.match(stdout, /url +env\n/);
    assert.match(stdout, /output +flag\n/);
  });
});

describe("parseFlags()", () => {
  const options = [verbose, output, names];
  it("reads grouped shorthands, the last with a value", () => {
    const { flags } = parseFlags(["-vojson", "-n=a", "-nb"], options);
    assert.deepEqual(
      flags.map(({ option: { flag }, text }) => `${flag}=${text}`),
      ["verbose=true", "output=json", "name=a", "name=b"],
    );
  });

  it("a bool takes a value only with =", () => {
    const { flags, args } = parseFlags(["--verbose", "false", "--verbose=false"], options);
    assert.deepEqual([flags.map(({ text }) => text), args], [["true", "false"], ["false"]]);
  });

  it("a flag at the end needs its value", () => {
    assert.throws(() => parseFlags(["--output"], options), /flag needs an argument: --output/);
  });

  it("property: every word is an argument, a flag, a value or unknown", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "-v", "--verbose", "-n=x", "--zz", "-z", "--name=q", "-")),
        (argv) => {
          const parsed = parseFlags(argv, options);
          assert.equal(parsed.args.length + parsed.flags.length + parsed.unknown.length, argv.length);
          assert.deepEqual(
            parsed.positions.map((at) => argv[at]),
            parsed.args,
          );
        },
      ),
    );
  });
});

describe("resolve()", () => {
  const config = option(types.configPath, { flag: "config" });
  const group = { name: "Networking", yaml: "networking" };
  const port = option(types.int, { flag: "port", env: "PORT", yaml: "port", default: "1", group });
  const hosts = option(types.strings, { flag: "hosts", yaml: "hosts", group });
  const old = option(types.int, { flag: "old-port", env: "OLD_PORT", useInstead: [port] });
  const options = [config, port, hosts, old];

  it("flag > environment > YAML > default, with the source", async (t) => {
    const file = join(await tempDir(t), "c.yaml");
    writeFileSync(file, "networking:\n  port: 2\n  hosts: [a, 'b,c']\n");
    const yaml = { option: config, text: file };
    const cases: [NodeJS.ProcessEnv, { option: typeof port; text: string }[], boolean, number, string][] = [
      [{ PORT: "3" }, [{ option: port, text: "4" }], true, 4, "flag"],
      [{ PORT: "3" }, [], true, 3, "env"],
      [{}, [], true, 2, "yaml"],
      [{}, [], false, 1, "default"],
      [{ PORT: "" }, [], false, 1, "default"],
      [{ HOMEBREW_PORT: "9" }, [], false, 9, "env"],
    ];
    for (const [env, flags, withYaml, value, source] of cases) {
      const values = resolve({ options, env, flags: [...flags, ...(withYaml ? [yaml] : [])] });
      assert.deepEqual([values.get(port), values.source(port)], [value, source]);
      if (withYaml) assert.deepEqual(values.get(hosts), ["a", "b,c"]);
    }
  });

  it("an old spelling sets the new one and warns in the words of its source", () => {
    const values = resolve({ options, env: { OLD_PORT: "7" }, flags: [] });
    assert.deepEqual([values.get(port), values.source(port)], [7, "env"]);
    assert.deepEqual(values.warnings, ["`OLD_PORT` is deprecated, please use `PORT` instead."]);
  });

  it("reports all bad values together, and unknown keys of a file by name", async (t) => {
    const many = [
      option(types.int, { flag: "a", env: "A" }),
      option(types.duration, { flag: "b", env: "B" }),
    ];
    assert.throws(
      () => resolve({ options: many, env: { A: "x", B: "5 parsecs" }, flags: [] }),
      /A: invalid int "x".*\nB: invalid duration/,
    );
    const file = join(await tempDir(t), "c.yaml");
    writeFileSync(file, "networking:\n  nope: 2\n");
    assert.throws(
      () => resolve({ options, env: {}, flags: [{ option: config, text: file }] }),
      /unknown option "networking.nope"/,
    );
  });

  it("names all required options that have no source", () => {
    const needed = [
      option(types.string, { flag: "a", required: true }),
      option(types.string, { flag: "b", required: true }),
    ];
    assert.throws(() => resolve({ options: needed, env: {}, flags: [] }), /required flags: a, b/);
  });
});

describe("values", () => {
  it("CSV: quotes, doubled quotes, empty items", () => {
    assert.deepEqual(types.parseCsv('a,"b,""c""",,d'), ["a", 'b,"c"', "", "d"]);
    assert.throws(() => types.parseCsv('"a"b'), /after a closing quote/);
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (items) => {
        fc.pre(!(items.length === 1 && items[0] === ""));
        assert.deepEqual(
          types.parseCsv(types.formatCsv(items.map((item) => item.replaceAll("\n", "")))),
          items.map((item) => item.replaceAll("\n", "")),
        );
      }),
    );
  });

  it("repeated lists append, an empty value clears; choices fold case and _", () => {
    assert.deepEqual(types.strings.parse("b,c", ["a"]), ["a", "b", "c"]);
    assert.deepEqual(types.strings.parse("", ["a"]), []);
    assert.deepEqual(types.someOf("last built", "id").parse("LAST_BUILT", undefined), ["last built"]);
    assert.throws(() => types.someOf("id").parse("x", undefined), /should be one of \[id\]/);
    assert.throws(
      () => types.oneOf("a", "b").parse("A", undefined),
      /invalid choice: A, should be one of \[a b\]/,
    );
  });
});
