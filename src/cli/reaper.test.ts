import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { reaperCommand } from "./reaper.ts";

function start(argv: readonly string[]) {
  const { file, args } = reaperCommand(argv);
  const [, ...rest] = args;
  return spawn(file, rest, { stdio: ["ignore", "pipe", "inherit"] });
}

test("ends as its program does", async () => {
  const [code] = await once(start(["/bin/sh", "-c", "exit 7"]), "exit");
  assert.equal(code, 7);
});

test("passes a stop signal on and waits for the end", async () => {
  const child = start([
    "/bin/sh",
    "-c",
    "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.02; done",
  ]);
  let said = "";
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said === "up\n") child.kill("SIGTERM");
  }
  assert.equal(said, "up\nbye\n");
  if (child.exitCode === null) await once(child, "exit");
  assert.equal(child.exitCode, 3);
});

function namespaces(t: TestContext): boolean {
  const works = spawnSync("unshare", ["-pf", "true"]).status === 0;
  if (!works) t.skip("process id namespaces are not allowed here");
  return works;
}

test("as the first process, orphans do not stay as zombies", async (t) => {
  if (!namespaces(t)) return;
  const orphan = "(sleep 0.1 & ) ; sleep 0.5; grep -l '^State:.Z' /proc/[0-9]*/status | wc -l";
  const { file, args } = reaperCommand(["/bin/sh", "-c", orphan]);
  const [, ...rest] = args;
  const child = spawn("unshare", ["-pf", "--mount-proc", file, ...rest], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  for await (const chunk of child.stdout) said += String(chunk);
  assert.equal(said.trim(), "0");
});
