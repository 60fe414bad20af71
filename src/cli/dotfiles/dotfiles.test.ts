import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { tempDir } from "#testutil/testutil.ts";
import { type CliResult, runCli } from "../clitest/clitest.ts";

interface Place {
  readonly home: string;
  readonly repo: string;
  readonly git: (...args: string[]) => Promise<void>;
  readonly run: (...line: string[]) => Promise<CliResult>;
}

async function place(t: TestContext): Promise<Place | undefined> {
  const home = await tempDir(t);
  const repo = join(home, "upstream");
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@test.invalid",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@test.invalid",
  };
  const git = async (...args: string[]): Promise<void> => {
    await promisify(execFile)("git", args, { cwd: repo, env });
  };
  await mkdir(repo);
  try {
    await git("init", "-q", "-b", "main");
  } catch {
    t.skip("there is no git on this machine");
    return undefined;
  }
  const run = (...line: string[]) => runCli(["dotfiles", ...line], { env, cwd: home });
  return { home, repo, git, run };
}

test("dotfiles: links files, backs up what was there, follows the repository, runs a script", async (t) => {
  const found = await place(t);
  if (!found) return;
  const { home, repo, git, run } = found;
  await writeFile(join(repo, ".bashrc"), "one\n");
  await writeFile(join(repo, ".gitignore"), "x\n");
  await writeFile(join(repo, "README"), "x\n");
  await git("add", ".");
  await git("commit", "-qm", "one");
  await writeFile(join(home, ".bashrc"), "old\n");

  const first = await run("--yes", repo);
  assert.equal(first.status, 0, first.stderr);
  const clone = join(home, ".config/coderv2/dotfiles");
  assert.equal(await readlink(join(home, ".bashrc")), join(clone, ".bashrc"));
  assert.equal(await readFile(join(home, ".bashrc.bak"), "utf8"), "old\n");
  await assert.rejects(lstat(join(home, ".gitignore")));

  await writeFile(join(repo, "install.sh"), '#!/bin/sh\necho "$PWD" > "$HOME/ran"\n');
  await git("add", ".");
  await git("commit", "-qm", "two");
  const refused = await run("--yes", repo);
  assert.match(refused.stderr, /"install.sh" does not have execute permissions/);
  await chmod(join(repo, "install.sh"), 0o755);
  await git("commit", "-qam", "three");
  const second = await run("--yes", repo);
  assert.equal(second.status, 0, second.stderr);
  assert.equal(await readFile(join(home, "ran"), "utf8"), `${clone}\n`);

  // Another address: the old clone is kept beside.
  const other = await run("--yes", `file://${repo}`);
  assert.equal(other.status, 0, other.stderr);
  const names = await readdir(join(home, ".config/coderv2"));
  assert.equal(names.filter((name) => name.startsWith("dotfiles_backup_")).length, 1);
});

test("dotfiles: addresses and branches are no options of git, and no text of a shell", async (t) => {
  const found = await place(t);
  if (!found) return;
  const { home, run } = found;
  const marker = join(home, "pwned");
  for (const line of [
    ["--yes", "--", `--upload-pack=touch ${marker}`],
    ["--yes", "-b", `--orphan=x`, "x"],
    ["--yes", `$(touch ${marker})`],
    ["--yes", `ext::sh -c touch% ${marker}`],
  ]) {
    assert.equal((await run(...line)).status, 1, line.join(" "));
  }
  await assert.rejects(lstat(marker));
});
