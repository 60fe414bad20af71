import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { newServer } from "#coderd/coderdtest/coderdtest.ts";
import { workspaceScene } from "#coderd/database/dbfake/dbfake.ts";
import { tempDir } from "#testutil/testutil.ts";
import { runCli, withoutWaits } from "../clitest/clitest.ts";
import { scripts, withScript } from "./completion.ts";

async function offered(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const done = await runCli(words, { env: { COMPLETION_MODE: "1", ...env } });
  assert.deepEqual([done.status, withoutWaits(done.stderr)], [0, ""]);
  return done.stdout.split("\n").slice(0, -1);
}

test("candidates: commands, options that are not given yet, choices", async () => {
  assert.deepEqual(await offered(["sta"]), ["start", "stat", "state"]);
  assert.deepEqual(await offered(["templates", "versions", ""]), ["archive", "list", "promote", "unarchive"]);
  assert.deepEqual(await offered(["config-ssh", "--wait", ""]), ["auto", "no", "yes"]);
  assert.deepEqual(await offered(["config-ssh", "--wait=n"]), ["--wait=no"]);
  assert.deepEqual(await offered(["list", "--a"]), ["--all"]);
  assert.deepEqual(await offered(["list", "--all", "--a"]), []);
  assert.deepEqual(await offered(["config-ssh", "-o", "A=b", "--ssh-o"]), ["--ssh-option"]);
  assert.ok((await offered([""])).includes("ssh"));
  assert.ok(!(await offered(["vsc"])).includes("vscodessh"));
});

test("candidates: nothing, and no error, for what is wrong", async () => {
  for (const words of [["nope", ""], ["list", "--nope", ""], ["ssh", ""], ["ssh", "--stop", ""], []]) {
    assert.equal(
      (await runCli(words, { env: { COMPLETION_MODE: "1", CODER_URL: "http://127.0.0.1:1" } })).status,
      0,
    );
  }
});

test("candidates: names of one's workspaces", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const user = await server.db.store.getUserById({ id: owner.id });
  const { workspace } = await workspaceScene(server.db.store, { owner: user });
  const env = { CODER_URL: server.url, CODER_SESSION_TOKEN: owner.token };
  for (const command of ["ssh", "start", "stop", "show", "ping", "logs", "port-forward"]) {
    assert.deepEqual(await offered([command, workspace.name.slice(0, 2)], env), [workspace.name], command);
  }
});

test("completion prints where there is no terminal; the file's block is replaced", async () => {
  assert.equal((await runCli(["completion", "--shell", "zsh"])).stdout, scripts.zsh);
  assert.equal(
    (await runCli(["completion", "--print"], { env: { SHELL: "/bin/bash" } })).stdout,
    scripts.bash,
  );
  assert.match((await runCli(["completion"], { env: { SHELL: "/bin/odd" } })).stderr, /give your shell/);
  const once = withScript("alias x=y\n", "one\n");
  assert.equal(withScript(once, "two\n"), withScript("alias x=y\n", "two\n"));
  assert.equal(withScript(`${once}after\n`, "two\n"), `${withScript("alias x=y\n", "two\n")}after\n`);
});

test("bash asks the program and evaluates nothing of its answer", async (t) => {
  const dir = await tempDir(t);
  const program = join(dir, "coder");
  await writeFile(program, `#!/bin/sh\nprintf '%s\\n' "$COMPLETION_MODE" "$@" '$(touch ${dir}/pwned)'\n`);
  await chmod(program, 0o755);
  const script = `${scripts.bash}
COMP_WORDS=(${program} ssh 'a b'); COMP_CWORD=2
_coder_complete
printf '<%s>' "\${COMPREPLY[@]}"; ls ${dir}`;
  const done = await promisify(execFile)("bash", ["-c", script]).catch((error: { code?: unknown }) => error);
  if (!("stdout" in done) || ("code" in done && done.code === "ENOENT")) {
    t.skip("there is no bash on this machine");
    return;
  }
  assert.equal(done.stdout, `<1><ssh><a b><$(touch ${dir}/pwned)>coder\n`);
});
