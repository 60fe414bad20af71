import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { newServer } from "#coderd/coderdtest/coderdtest.ts";
import { tempDir } from "#testutil/testutil.ts";
import { type CliOptions, runCli, withoutWaits } from "../clitest/clitest.ts";
import { type LiveWorkspace, liveWorkspace, programScript } from "../clitest/live.ts";

const exec = promisify(execFile);

test("config-ssh: writes, keeps the rest, does nothing twice, asks, shows, follows links", async (t) => {
  const server = await newServer(t);
  const owner = await server.createFirstUser();
  const home = await tempDir(t);
  const env = { HOME: home, CODER_URL: server.url, CODER_SESSION_TOKEN: owner.token };
  const run = (line: readonly string[], options: CliOptions = {}) =>
    runCli(["config-ssh", ...line], { env, self: "/opt/coder", ...options });
  const file = join(home, ".ssh/config");
  const read = (): Promise<string> => readFile(file, "utf8");

  const shown = await run(["--dry-run"]);
  assert.equal(shown.status, 0);
  assert.match(shown.stdout, /^\+Host coder\.\*$/m);
  await assert.rejects(read());

  assert.equal((await run([], { stdin: "no\n" })).status, 1);
  await assert.rejects(read());

  const first = await run([], { stdin: "yes\n" });
  assert.deepEqual([first.status, first.stdout.startsWith('Updated "')], [0, true]);
  assert.deepEqual(
    [(await stat(file)).mode & 0o777, (await stat(join(home, ".ssh"))).mode & 0o777],
    [0o600, 0o700],
  );
  const written = await read();
  assert.match(
    written,
    new RegExp(`ProxyCommand /opt/coder --global-config ${home}/.config/coderv2 ssh --stdio`),
  );

  const again = await run([]);
  assert.deepEqual(
    [again.status, again.stdout, withoutWaits(again.stderr)],
    [0, "", "No changes to make.\n"],
  );

  await writeFile(file, `Host mine\n  User me\n\n${written}\nHost after\n  User you\n`, { mode: 0o640 });
  const quiet = await run(["--yes", "--wait", "yes", "-o", "ForwardAgent=yes"]);
  assert.equal(quiet.status, 0, quiet.stderr);
  const changed = await read();
  assert.match(changed, /^Host mine\n {2}User me\n\n# -+START-CODER-+\n/);
  assert.match(changed, /# :wait=yes\n# :ssh-option=ForwardAgent=yes\n/);
  assert.match(changed, /END-CODER-+\n\nHost after\n {2}User you\n$/);

  // The last run's options stay where the answer is no, or where that was asked for.
  const kept = await run([], { stdin: "no\n" });
  assert.match(kept.stderr, /--wait=yes[^]*No changes to make/);
  assert.match((await run(["--use-previous-options"])).stderr, /No changes to make/);

  const kept2 = await read();
  await writeFile(file, kept2 + kept2);
  const broken = await run(["--yes"]);
  assert.deepEqual([broken.status, /Malformed config/.test(broken.stderr)], [1, true]);
  assert.equal(await read(), kept2 + kept2);

  const elsewhere = join(home, "dotfiles");
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, "ssh"), "Host x\n");
  await symlink(join(elsewhere, "ssh"), join(home, "link"));
  assert.equal((await run(["--yes", "--ssh-config-file", "~/link"])).status, 0);
  assert.match(await readFile(join(elsewhere, "ssh"), "utf8"), /^Host x\n\n# -+START-CODER/);
});

/** OpenSSH's programs against a live workspace, through the block that config-ssh wrote. */
async function openSsh(t: TestContext): Promise<{ ws: LiveWorkspace; config: string } | undefined> {
  try {
    await exec("ssh", ["-V"]);
  } catch {
    t.skip("there is no OpenSSH client on this machine");
    return undefined;
  }
  const ws = await liveWorkspace(t);
  const config = join(ws.dir, "ssh_config");
  const bin = join(ws.dir, "bin with space");
  await mkdir(bin);
  const done = await ws.run(["config-ssh", "--yes", "--ssh-config-file", config], {
    self: await programScript(bin),
  });
  assert.equal(done.status, 0, done.stderr);
  return { ws, config };
}

test("OpenSSH: ssh by prefix and suffix, scp, sftp, rsync", { timeout: 120_000 }, async (t) => {
  const found = await openSsh(t);
  if (!found) return;
  const { ws, config } = found;
  const env = { ...process.env, ...ws.env };
  const ssh = (...line: string[]) => exec("ssh", ["-F", config, ...line], { env });
  const [prefix, suffix] = await Promise.all([
    ssh(`coder.${ws.name}`, "echo a-$CODER_WORKSPACE_NAME; exit 0"),
    ssh(`${ws.name}.coder`, "exit 7").catch((error: { code: number }) => error.code),
  ]);
  assert.deepEqual([prefix.stdout, withoutWaits(prefix.stderr), suffix], [`a-${ws.name}\n`, "", 7]);

  const file = join(ws.dir, "file");
  await writeFile(file, Buffer.alloc(300_000, "x"));
  const sftp = exec("sftp", ["-F", config, "-b", "-", `coder.${ws.name}`], { env });
  sftp.child.stdin?.end(`put ${file} ${join(ws.dir, "by-sftp")}\n`);
  await Promise.all([
    exec("scp", ["-F", config, file, `coder.${ws.name}:${join(ws.dir, "by-scp")}`], { env }),
    sftp,
  ]);
  for (const name of ["by-scp", "by-sftp"]) assert.equal((await stat(join(ws.dir, name))).size, 300_000);
  const rsync = await exec("rsync", ["--version"]).catch(() => undefined);
  if (!rsync) {
    t.diagnostic("rsync is not on this machine: not tried");
    return;
  }
  await exec("rsync", ["-e", `ssh -F ${config}`, file, `coder.${ws.name}:${join(ws.dir, "by-rsync")}`], {
    env,
  });
  assert.equal((await stat(join(ws.dir, "by-rsync"))).size, 300_000);
});
