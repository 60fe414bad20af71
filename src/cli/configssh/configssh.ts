import { chmod, mkdir, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join, resolve } from "node:path";
import { contract } from "#codersdk/contract.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { askText, confirm } from "../cliui/prompt.ts";
import { printable } from "../cliui/table.ts";
import { UserError } from "../errors.ts";
import { globals, homeOf } from "../globals.ts";
import { connect } from "../session.ts";
import { yes } from "../transition.ts";
import { unifiedDiff } from "./diff.ts";
import {
  defaultOptions,
  optionLines,
  renderSection,
  splitConfig,
  type SshOptions,
  storedOptions,
  withSection,
} from "./section.ts";

const configFile = option(types.string, {
  flag: "ssh-config-file",
  env: "CODER_SSH_CONFIG_FILE",
  default: "~/.ssh/config",
  description: "File to write the block into.",
});
const binaryPath = option(types.string, {
  flag: "coder-binary-path",
  env: "CODER_SSH_CONFIG_BINARY_PATH",
  description: "Program that OpenSSH runs to connect. Default: this one.",
});
const sshOption = option(types.strings, {
  flag: "ssh-option",
  shorthand: "o",
  env: "CODER_SSH_CONFIG_OPTS",
  description:
    "Option for the hosts, as key=value. Can be given several times; an empty value takes a usual one away.",
});
const dryRun = option(types.bool, {
  flag: "dry-run",
  shorthand: "n",
  env: "CODER_SSH_DRY_RUN",
  description: "Only show what would change.",
});
const skipProxyCommand = option(types.bool, {
  flag: "skip-proxy-command",
  env: "CODER_SSH_SKIP_PROXY_COMMAND",
  hidden: true,
  description: "Leave out the ProxyCommand, for a terminal that cannot run it.",
});
const usePrevious = option(types.bool, {
  flag: "use-previous-options",
  env: "CODER_SSH_USE_PREVIOUS_OPTIONS",
  description: "Take the options of the last run without asking.",
});
const hostPrefix = option(types.string, {
  flag: "ssh-host-prefix",
  env: "CODER_CONFIGSSH_SSH_HOST_PREFIX",
  description: "What host names begin with. Default: what the deployment says.",
});
const hostnameSuffix = option(types.string, {
  flag: "hostname-suffix",
  env: "CODER_CONFIGSSH_HOSTNAME_SUFFIX",
  description: "What host names end with. Default: what the deployment says.",
});
const wait = option(types.oneOf("yes", "no", "auto"), {
  flag: "wait",
  env: "CODER_CONFIGSSH_WAIT",
  default: "auto",
  description: "Whether connections wait for startup scripts; auto: where the template says so.",
});
const disableAutostart = option(types.bool, {
  flag: "disable-autostart",
  env: "CODER_CONFIGSSH_DISABLE_AUTOSTART",
  default: "false",
  description: "Connections do not start a stopped workspace.",
});
const unixPaths = option(types.bool, {
  flag: "force-unix-filepaths",
  env: "CODER_CONFIGSSH_UNIX_FILEPATHS",
  description: "Write paths with forward slashes. Without effect where they have them anyway.",
});

export const configSshCommand: Command = {
  use: "config-ssh",
  short: "Let OpenSSH, scp, sftp, rsync and editors reach your workspaces by name.",
  long: "Writes one block into your ssh configuration and leaves the rest of the file alone.\n\n  - Connect to a workspace:\n\n       $ ssh <workspace>.coder\n\n  - See what would change:\n\n       $ coder config-ssh --dry-run",
  options: [
    configFile,
    binaryPath,
    sshOption,
    dryRun,
    skipProxyCommand,
    usePrevious,
    hostPrefix,
    hostnameSuffix,
    wait,
    disableAutostart,
    unixPaths,
    yes,
  ],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client, config } = await connect(inv);
    const answer = await client.call(contract.deployment.sshConfig, { signal: inv.signal });
    const file = await targetFile(inv);
    const before = await readIfThere(file);
    const split = splitConfig(before);
    const options = await chooseOptions(inv, split.section);
    const section = renderSection({
      options,
      deployment: {
        hostPrefix: answer.hostname_prefix,
        hostnameSuffix: answer.hostname_suffix,
        options: answer.ssh_config_options,
      },
      binary: await program(inv),
      configDir: config.path,
      skipProxyCommand: inv.get(skipProxyCommand),
    });
    const after = withSection(split, section);
    if (after === before) {
      inv.stderr.write("No changes to make.\n");
      return;
    }
    const what =
      split.section === undefined
        ? "add a block for your workspaces"
        : "replace the block of your workspaces";
    inv.stderr.write(`This will ${what} in ${file}.\n`);
    if (inv.get(dryRun)) {
      inv.stdout.write(unifiedDiff(before, after, file));
      return;
    }
    if (!inv.get(yes)) await confirm(inv, "Continue?");
    await replaceFile(file, after);
    inv.stdout.write(`Updated ${JSON.stringify(file)}\n\n`);
    await hint(inv, client, options.hostnameSuffix || answer.hostname_suffix);
  },
};

/** Follows links: who keeps his configuration elsewhere does so for a reason. */
async function targetFile(inv: Invocation): Promise<string> {
  const path = resolve(inv.cwd, inv.get(configFile).replace(/^~(?=\/)/, homeOf(inv.env)));
  return await realpath(path).catch(() => path);
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

function givenOptions(inv: Invocation): SshOptions {
  return {
    wait: inv.get(wait),
    disableAutostart: inv.get(disableAutostart),
    hostPrefix: inv.get(hostPrefix),
    hostnameSuffix: inv.get(hostnameSuffix),
    sshOptions: inv.get(sshOption),
    headers: inv.get(globals.header),
    headerCommand: inv.get(globals.headerCommand),
  };
}

/** Where a run before had other options: those, these, or ask. */
async function chooseOptions(inv: Invocation, section: string | undefined): Promise<SshOptions> {
  const given = givenOptions(inv);
  if (section === undefined) return given;
  const stored = storedOptions(section);
  const [was, now] = [optionLines(stored), optionLines(given)];
  if (was.join("\n") === now.join("\n")) return given;
  if (inv.get(usePrevious)) return stored;
  if (inv.get(yes) || inv.get(dryRun)) return given;
  const show = (lines: readonly string[]): string =>
    lines.length === 0 ? "  (none)\n" : lines.map((line) => `  --${printable(line)}\n`).join("");
  inv.stderr.write(`Options of the last run:\n${show(was)}Options of this run:\n${show(now)}`);
  const fallback = optionLines(given).length === optionLines(defaultOptions).length ? "no" : "yes";
  const text = "Use new options? (yes/no; no: keep the ones of the last run)";
  const reply = (await askText(inv, { text, default: fallback })).trim().toLowerCase();
  return reply === "yes" || reply === "y" ? given : stored;
}

async function program(inv: Invocation): Promise<string> {
  const path = inv.get(binaryPath);
  if (path !== "") return path;
  if (inv.program === undefined) {
    throw new UserError("this program does not know its own path; give it with --coder-binary-path");
  }
  const other = await inPath(inv.env["PATH"] ?? "");
  if (other !== undefined && other !== (await realpath(inv.program).catch(() => inv.program))) {
    inv.stderr.write(
      `WARN: another coder comes first in PATH\r\n  | ssh will run this one: ${inv.program}\r\n  | in PATH: ${other}\r\n`,
    );
  }
  return inv.program;
}

async function inPath(path: string): Promise<string | undefined> {
  for (const dir of path.split(delimiter).filter((one) => one !== "")) {
    const found = await realpath(join(dir, "coder")).catch(() => undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Written beside and renamed: a reader never sees half a file. Keeps the file's mode. */
async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const mode = await stat(file).then(
    (found) => found.mode & 0o777,
    () => 0o600,
  );
  const part = `${file}.coder-part`;
  try {
    await writeFile(part, text, { mode, flag: "w" });
    await chmod(part, mode);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

async function hint(
  inv: Invocation,
  client: Awaited<ReturnType<typeof connect>>["client"],
  suffix: string,
): Promise<void> {
  const { workspaces } = await client.call(contract.workspaces.list, {
    query: { q: 'owner:"me"', limit: 1 },
    signal: inv.signal,
  });
  const [first] = workspaces;
  inv.stdout.write(
    first
      ? `You should now be able to ssh into your workspace.\nFor example, try running:\n\n\t$ ssh ${printable(first.name)}.${suffix}\n`
      : "You don't have any workspaces yet, try creating one with:\n\n\t$ coder create <workspace>\n",
  );
}
