/** `coder gitssh`: what GIT_SSH_COMMAND of a workspace is. Runs ssh with the user's Git key beside his own keys. */
import { execFile, spawn } from "node:child_process";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { contract } from "#codersdk/contract.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { ExitError } from "../errors.ts";
import { homeOf } from "../globals.ts";
import { agentClient, agentOptions } from "./agentclient.ts";

/** Where OpenSSH looks by itself, if it cannot be asked. */
const usualKeys = ["rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss"].map(
  (kind) => `~/.ssh/id_${kind}`,
);

export const gitsshCommand: Command = {
  use: "gitssh",
  hidden: true,
  short: "Run ssh with your Git key, for Git in a workspace.",
  options: Object.values(agentOptions),
  async handler(inv) {
    const client = await agentClient(inv);
    const [key, own] = await Promise.all([
      client.call(contract.workspaceagents.gitSshKey, { signal: inv.signal }),
      ownKeys(inv),
    ]);
    const dir = await mkdtemp(join(inv.env["TMPDIR"] || tmpdir(), "coder-gitssh-"));
    try {
      const file = join(dir, "key");
      await writeFile(file, key.private_key, { mode: 0o600 });
      const status = await runSsh(inv, [...own, file]);
      if (status === 255) {
        inv.stderr.write(
          `\nssh could not sign in. This is your public key; add it to your Git host if it is not there yet:\n\n${key.public_key.trim()}\n\nIt is shown again by: coder publickey\n`,
        );
      }
      if (status !== 0) throw new ExitError(status);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** Key files that the user's own configuration names for this host, as far as they exist. */
async function ownKeys(inv: Invocation): Promise<string[]> {
  let names = usualKeys;
  try {
    const { stdout } = await promisify(execFile)("ssh", ["-G", ...inv.args], {
      env: inv.env,
      signal: inv.signal,
      maxBuffer: 1024 * 1024,
    });
    names = stdout.split("\n").flatMap((line) => /^identityfile (.+)$/.exec(line)?.[1] ?? []);
  } catch {
    // An ssh without -G: the usual places.
  }
  const paths = names.map((name) => name.replace(/^~(?=\/)/, homeOf(inv.env)));
  const there = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, at) => there[at]);
}

function runSsh(inv: Invocation, keys: readonly string[]): Promise<number> {
  const child = spawn("ssh", [...keys.flatMap((key) => ["-i", key]), ...inv.args], {
    env: inv.env,
    stdio: ["pipe", "pipe", "pipe"],
    signal: inv.signal,
  });
  inv.stdin.pipe(child.stdin);
  child.stdin.on("error", () => {});
  child.stdout.pipe(inv.stdout, { end: false });
  child.stderr.pipe(inv.stderr, { end: false });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      inv.stdin.unpipe(child.stdin);
      resolve(code ?? 255);
    });
  });
}
