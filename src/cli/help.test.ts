import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Command } from "#serpent/command.ts";
import { renderHelp } from "#serpent/help.ts";
import { version } from "#buildinfo/buildinfo.ts";
import { golden } from "#testutil/testutil.ts";
import { runCli } from "./clitest/clitest.ts";
import { root } from "./root.ts";

const dir = join(import.meta.dirname, "testdata");

function* commands(path: readonly Command[]): Generator<readonly Command[]> {
  yield path;
  for (const child of path.at(-1)?.children ?? []) yield* commands([...path, child]);
}

describe("help", () => {
  const files = new Set<string>();
  for (const path of commands([root])) {
    const name = path.map((command) => command.use.split(" ")[0]).join("_");
    files.add(`${name}_--help.golden`);
    it(`of ${name.replaceAll("_", " ")}`, () => {
      const text = renderHelp(path, 80).replace(version, "v0.0.0");
      golden(join(dir, `${name}_--help.golden`), text.replace(/[ \t]+$/gm, ""));
    });
  }

  it("has no golden of a command that is gone", () => {
    assert.deepEqual(
      readdirSync(dir).filter((file) => file.endsWith("_--help.golden") && !files.has(file)),
      [],
    );
  });
});

describe("main()", () => {
  it("prints one line for a mistake, status 1, nothing on stdout", async () => {
    const { status, stdout, stderr } = await runCli(["nope"]);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /unrecognized subcommand "nope"/);
  });

  it("no words print help", async () => {
    const { status, stdout } = await runCli([]);
    assert.equal(status, 0);
    assert.match(stdout, /SUBCOMMANDS:/);
  });

  it("version as text, as JSON, as a flag", async () => {
    assert.match((await runCli(["version"])).stdout, new RegExp(version.replace("+", "\\+")));
    assert.equal(JSON.parse((await runCli(["version", "-o", "json"])).stdout).version, version);
    assert.match((await runCli(["--version"])).stdout, /Coder v/);
  });
});
