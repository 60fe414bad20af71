/**
 * `coder dotfiles`: a person's own settings, out of a Git repository, into the home of whatever machine this is.
 * Addresses and branches reach git as arguments, never through a shell.
 */
import { spawn } from "node:child_process";
import { access, constants, lstat, mkdir, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { confirm } from "../cliui/prompt.ts";
import { UserError } from "../errors.ts";
import { homeOf } from "../globals.ts";
import { openConfig } from "../session.ts";
import { confirmUnlessYes, yes } from "../transition.ts";

const symlinkDir = option(types.string, {
  flag: "symlink-dir",
  env: "CODER_SYMLINK_DIR",
  description: "Where links to the files are made. Default: your home folder.",
});
const branch = option(types.string, {
  flag: "branch",
  shorthand: "b",
  description: "Branch to use. Default: the repository's.",
});
const repoDir = option(types.string, {
  flag: "repo-dir",
  env: "CODER_DOTFILES_REPO_DIR",
  default: "dotfiles",
  description: "Folder of the clone, below the configuration folder.",
});

/** The first of these that exists is run. */
const scripts = ["install.sh", "install", "bootstrap.sh", "bootstrap", "setup.sh", "setup"];

export const dotfilesCommand: Command = {
  use: "dotfiles <git_repo_url>",
  short: "Set up your own settings from a Git repository.",
  long: "Clones or updates the repository, then runs its install script; without one, links its dot files into your home.\n\n  - Install without questions:\n\n       $ coder dotfiles --yes git@github.com:example/dotfiles.git",
  options: [symlinkDir, branch, repoDir, yes],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const url = inv.args[0] ?? "";
    if (url.startsWith("-")) {
      throw new UserError(`that is no address of a repository: ${JSON.stringify(url)}`);
    }
    if (inv.get(branch).startsWith("-")) throw new UserError(`that is no branch: ${inv.get(branch)}`);
    const config = openConfig(inv);
    const clone = resolve(config.path, inv.get(repoDir));
    await fetchRepository(inv, url, clone);
    await config.write("dotfilesurl", url);
    const script = await findScript(clone);
    if (script !== undefined) await runScript(inv, clone, script);
    else await linkFiles(inv, clone);
    inv.stderr.write("Dotfiles installation complete.\n");
  },
};

/** Updates the clone of the same address; another one is kept as a backup. */
async function fetchRepository(inv: Invocation, url: string, clone: string): Promise<void> {
  const known = await openConfig(inv).read("dotfilesurl");
  const exists = await stat(join(clone, ".git")).then(
    () => true,
    () => false,
  );
  if (exists && known === url) {
    await confirmUnlessYes(inv, `Pull the latest of ${url} and install it?`);
    // Local changes or no network: what is there is still installed.
    const pulled = await git(inv, clone, ["pull", "--ff-only"]);
    if (pulled !== 0) {
      inv.stderr.write("WARN: the repository could not be updated; installing what is there\r\n");
    }
  } else {
    const present = await readdir(clone).catch(() => []);
    if (present.length > 0) {
      await confirmUnlessYes(inv, `${clone} holds something else. Move it away and clone ${url}?`);
      const stamp = inv.clock
        .now()
        .toISOString()
        .replace(/\.\d+Z$/, "Z");
      await rename(clone, `${clone}_backup_${stamp}`);
    } else {
      await confirmUnlessYes(inv, `Clone ${url} and install it?`);
    }
    await mkdir(clone, { recursive: true, mode: 0o750 });
    if ((await git(inv, clone, ["clone", "--", url, "."])) !== 0) throw new UserError(`cannot clone ${url}`);
  }
  const wanted = inv.get(branch);
  if (wanted === "") return;
  if ((await git(inv, clone, ["checkout", wanted, "--"])) !== 0) {
    throw new UserError(`cannot check out the branch ${wanted}`);
  }
  if (exists) await git(inv, clone, ["pull", "--ff-only"]);
}

/** A fresh workspace knows no host keys, and nobody is there to say yes. */
const sshOptions = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no";

function git(inv: Invocation, cwd: string, args: readonly string[]): Promise<number> {
  const ssh = `${inv.env["GIT_SSH_COMMAND"] || "ssh"} ${sshOptions}`;
  return run(inv, "git", args, cwd, { ...inv.env, GIT_SSH_COMMAND: ssh });
}

/** Exit status; what the program prints goes to stderr. */
async function run(
  inv: Invocation,
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const child = spawn(program, [...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    signal: inv.signal,
  });
  child.stdout.pipe(inv.stderr, { end: false });
  child.stderr.pipe(inv.stderr, { end: false });
  return await new Promise((done, reject) => {
    child.once("error", (error) => reject(new UserError(`cannot run ${program}: ${error.message}`)));
    child.once("close", (code) => done(code ?? 1));
  });
}

async function findScript(clone: string): Promise<string | undefined> {
  for (const name of [...scripts, ...scripts.map((one) => join("script", one))]) {
    const found = await stat(join(clone, name)).catch(() => undefined);
    if (found?.isFile()) return name;
  }
  return undefined;
}

async function runScript(inv: Invocation, clone: string, name: string): Promise<void> {
  const path = join(clone, name);
  await access(path, constants.X_OK).catch(() => {
    throw new UserError(`script ${JSON.stringify(name)} does not have execute permissions`);
  });
  inv.stderr.write(`Running ${name}...\n`);
  const status = await run(inv, path, [], clone, inv.env);
  if (status !== 0) throw new UserError(`${name} ended with status ${status}`);
}

const isDotfile = (name: string): boolean =>
  name.startsWith(".") && (name === ".gitconfig" || !name.startsWith(".git"));

async function linkFiles(inv: Invocation, clone: string): Promise<void> {
  const names = (await readdir(clone)).filter(isDotfile).toSorted();
  if (names.length === 0) {
    inv.stderr.write("The repository has no install script and no dot files: nothing to do.\n");
    return;
  }
  const target = resolve(inv.cwd, inv.get(symlinkDir) || homeOf(inv.env));
  if (!inv.get(yes)) await confirm(inv, `Link ${names.join(", ")} into ${target}?`);
  await mkdir(target, { recursive: true });
  for (const name of names) {
    const [from, to] = [join(clone, name), join(target, name)];
    const there = await lstat(to).catch(() => undefined);
    if (there?.isSymbolicLink()) await rm(to);
    else if (there) await rename(to, `${to}.bak`);
    await symlink(from, to);
  }
}
