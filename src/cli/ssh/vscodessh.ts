/** `coder vscodessh`: what older releases of the VS Code extension run as ProxyCommand. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command, Invocation } from "#serpent/command.ts";
import { option, type Option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { discardLogger } from "#slog/slog.ts";
import { UserError } from "../errors.ts";
import { clientFor, openConfig } from "../session.ts";
import { openSessionLog } from "./sessionlog.ts";
import { runSsh } from "./ssh.ts";
import type { SshTarget } from "../workspaceref.ts";

const networkInfoDir = option(types.string, {
  flag: "network-info-dir",
  description: "Folder for the file that tells how good the connection is.",
});
const logDir = option(types.string, { flag: "log-dir", description: "Folder for the log." });
const tokenFile = option(types.string, {
  flag: "session-token-file",
  description: "File with the session token.",
});
const urlFile = option(types.string, {
  flag: "url-file",
  description: "File with the URL of the deployment.",
});
const interval = option(types.duration, {
  flag: "network-info-interval",
  default: "5s",
  description: "How often the network file is written.",
});
const wait = option(types.oneOf("yes", "no", "auto"), {
  flag: "wait",
  default: "auto",
  description: "Whether to wait for startup scripts.",
});

export const vscodesshCommand: Command = {
  use: "vscodessh <coder-vscode--<owner>--<workspace>--<agent?>>",
  hidden: true,
  short: "Connect for the VS Code extension.",
  options: [networkInfoDir, logDir, tokenFile, urlFile, interval, wait],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const target = parseVscodeHost(inv.args[0] ?? "");
    for (const needed of [networkInfoDir, tokenFile, urlFile]) {
      if (inv.get(needed) === "") throw new UserError(`--${needed.flag} must be given`);
    }
    const [token, url] = await Promise.all([contentOf(inv, tokenFile), contentOf(inv, urlFile)]);
    await using sessionLog =
      inv.get(logDir) === "" ? undefined : await openSessionLog(inv, inv.get(logDir), `${process.ppid}.log`);
    const session = { config: openConfig(inv), ...(await clientFor(inv, url, token)) };
    await runSsh(inv, session, {
      target,
      command: "",
      stdio: true,
      autostart: false,
      wait: inv.get(wait),
      app: "vscode",
      networkInfoDir: inv.get(networkInfoDir),
      networkInfoMs: inv.get(interval),
      newTunnel: true,
      log: sessionLog?.log ?? discardLogger,
    });
  },
};

/** `coder-vscode[.<host>]--<owner>--<workspace>[--<agent>]`; what stands before the first `--` says nothing. */
export function parseVscodeHost(text: string): SshTarget {
  const [, owner, name, agent, ...more] = text.split("--");
  if (!owner || !name || agent === "" || more.length > 0) {
    throw new UserError(
      `a host is given as coder-vscode--owner--workspace[--agent]: received ${JSON.stringify(text)}`,
    );
  }
  return { owner, name, agent };
}

async function contentOf(inv: Invocation, file: Option<string>): Promise<string> {
  try {
    return (await readFile(resolve(inv.cwd, inv.get(file)), "utf8")).trim();
  } catch (error) {
    throw new UserError(
      `cannot read the file of --${file.flag}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
