import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { tempDir } from "#testutil/testutil.ts";
import { startBlock } from "./block.ts";
import { claimInstance } from "./instance.ts";
import { findOnMachine } from "./machine.ts";
import { pickPort } from "./port.ts";

describe("claimInstance()", () => {
  it("a second one is told where the first runs; after the first it may", async (t) => {
    const dir = await tempDir(t);
    {
      using first = claimInstance(dir);
      assert.throws(() => claimInstance(dir), /still starting/);
      first.announce("http://127.0.0.1:3000");
      assert.throws(() => claimInstance(dir), /process \d+\) at http:\/\/127\.0\.0\.1:3000/);
    }
    claimInstance(dir)[Symbol.dispose]();
    assert.equal(existsSync(join(dir, "server.lock")), false);
  });

  it("takes over the lock of a process that is gone, of another with its number, and a broken one", async (t) => {
    const dir = await tempDir(t);
    for (const text of [
      '{"pid":4194305,"started":"1","url":""}',
      `{"pid":${process.pid},"started":"1","url":""}`,
      "{",
      "null",
    ]) {
      writeFileSync(join(dir, "server.lock"), text);
      claimInstance(dir)[Symbol.dispose]();
    }
  });
});

describe("pickPort()", () => {
  it("keeps its choice, and moves on when somebody else has it", async (t) => {
    const dir = await tempDir(t);
    const port = await pickPort(dir);
    assert.equal(await pickPort(dir), port);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    t.after(() => other.close());
    assert.notEqual(await pickPort(dir), port);
  });
});

describe("startBlock()", () => {
  it("names link, workspace, proof and what is missing with its remedy", async () => {
    const machine = await findOnMachine({ PATH: "/nonexistent" });
    const text = startBlock({
      url: "http://127.0.0.1:3000",
      loginLink: "http://127.0.0.1:3000/setup/x",
      workspace: "dev",
      proof: { command: "echo ok", answer: "ok", seconds: 0.84 },
      machine,
      stateDir: "/s",
    });
    for (const part of [
      "setup/x",
      "./coder ssh dev",
      '"echo ok"',
      "0.8 s",
      "Docker: none (",
      "CODER_PG_CONNECTION_URL",
    ]) {
      assert.ok(text.includes(part), part);
    }
  });
});
