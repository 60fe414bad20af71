import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import { eventually, tempDir } from "#testutil/testutil.ts";
import { nativeEngine } from "./engine.ts";
import { runBuild } from "./nativetest/session.ts";
import { readState } from "./state.ts";

it("kill -9 at any moment of an apply leaves a state that knows all that was begun", async (t) => {
  for (const killAfter of [2, 8]) {
    const dir = await tempDir(t);
    const log = join(dir, "log");
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "nativetest/crash-child.ts"), dir, log],
      {
        stdio: "ignore",
      },
    );
    const done = (): number[] =>
      existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean).map(Number) : [];
    await eventually("enough steps have begun", () => done().length >= killAfter, { timeoutMs: 60_000 });
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    const bytes = readFileSync(join(dir, "files/terraform.tfstate"));
    const state = readState(bytes, cryptoRand);
    const begun = done();
    for (const at of begun) {
      assert.ok(
        state.instances.has(`terraform_data.r${at}`),
        `r${at} was begun, but the state does not know it`,
      );
    }
    const tainted = [...state.instances.values()].filter((instance) => instance.tainted);
    assert.ok(tainted.length <= 1, "only the step that was interrupted is in doubt");
    // The next build goes on from there.
    const engine = nativeEngine({
      rand: cryptoRand,
      os: "linux",
      arch: "amd64",
      env: { PATH: process.env["PATH"] },
    });
    const files = { "main.tf": readFileSync(join(dir, "files/main.tf"), "utf8") };
    const again = await runBuild(engine, await tempDir(t), { files, state: bytes });
    assert.equal(again.error, "");
    const deleted = await runBuild(engine, await tempDir(t), {
      files,
      transition: "destroy",
      ...(again.apply ? { state: again.apply.state } : {}),
    });
    assert.equal(deleted.error, "");
  }
});
