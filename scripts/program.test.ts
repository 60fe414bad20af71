import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { repoRoot, tempDir } from "#testutil/testutil.ts";
import { currentProgram } from "./boot.mjs";
import { buildProgram } from "./program.ts";

describe("the clone's program", () => {
  it("is current until a source changes, and stays while a process runs it", async (t) => {
    const clone = await tempDir(t);
    const dir = join(clone, ".coder/program");
    const build = (): Promise<string> => buildProgram(dir, { coder: "src/quartz/clock.ts" });
    const key = await build();
    assert.equal(currentProgram(clone), key);
    assert.equal(await build(), key, "the same sources make the same bundle");

    // Two bundles of another time: one that a process runs, and one that nobody does.
    const [used, unused] = ["a".repeat(16), "b".repeat(16)];
    for (const name of [used, unused]) mkdirSync(join(dir, name));
    const running = spawn(process.execPath, [
      "-e",
      "setInterval(() => {}, 1e6)",
      join(dir, used, "coder.mjs"),
    ]);
    await once(running, "spawn");
    await build();
    assert.deepEqual(readdirSync(dir).toSorted(), [used, "current", key].toSorted());
    running.kill("SIGKILL");
    await once(running, "exit");
    await build();
    assert.deepEqual(readdirSync(dir).toSorted(), ["current", key].toSorted());

    mkdirSync(join(clone, "src"));
    assert.equal(currentProgram(clone), undefined);
  });

  it("finds the files of its sources from a clone that was moved", async (t) => {
    const clone = await tempDir(t);
    const key = await buildProgram(join(clone, ".coder/program"));
    const bundle = join(clone, ".coder/program", key);
    const texts = readdirSync(bundle)
      .filter((name) => name.endsWith(".mjs"))
      .map((name) => readFileSync(join(bundle, name), "utf8"));
    assert.ok(texts.some((text) => text.includes("/../../../src/coderd/database")));
    assert.ok(!texts.some((text) => text.includes(`"${repoRoot}`)));
    symlinkSync(join(repoRoot, "node_modules"), join(clone, "node_modules"));
    cpSync(join(repoRoot, "examples"), join(clone, "examples"), { recursive: true });
    const out = join(clone, "made");
    const [status, text] = await runToEnd([
      join(bundle, "coder.mjs"),
      "templates",
      "init",
      "--id",
      "local",
      out,
    ]);
    assert.equal(status, 0, text);
    assert.ok(readdirSync(out).includes("main.tf"));
  });
});

async function runToEnd(args: readonly string[]): Promise<[number, string]> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const [code] = await once(child, "close");
  return [Number(code), text];
}
