/**
 * `coder ssh`: a shell, a command, or the bytes of an ssh connection. Editors run it as OpenSSH's ProxyCommand
 * (`--stdio`), read the files of `--log-dir` and `--network-info-dir`, and depend on a clean standard output.
 */
import { completeWorkspace } from "../completeworkspace.ts";
import { resolve } from "node:path";
import { contract } from "#codersdk/contract.ts";
import type { AgentConn } from "#codersdk/workspacesdk/dial.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { discardLogger, type Logger } from "#slog/slog.ts";
import { type Found, findAgent, waitAndDial } from "../dialworkspace.ts";
import { connect, type Session } from "../session.ts";
import { reportUsage, usageApp, type UsageApp } from "../usage.ts";
import { parseSshTarget, type SshTarget } from "../workspaceref.ts";
import { dialCoderConnect, servedByCoderConnect } from "./coderconnect.ts";
import { coderConnectInfo, recordNetwork, writeNetworkInfo } from "./networkinfo.ts";
import { sshOptions as options } from "./options.ts";
import { logName, openSessionLog } from "./sessionlog.ts";
import { runShell } from "./shell.ts";
import { passBytes } from "./stdio.ts";
import { workspaceOver } from "./watch.ts";

/** Port of the ssh server inside the tailnet. */
const sshPort = 1;

export const sshCommand: Command = {
  use: "ssh <workspace> [command]",
  complete: completeWorkspace,
  short: "Open a shell in a workspace, or run a command there.",
  options: Object.values(options),
  args: { min: 1, max: Number.POSITIVE_INFINITY },
  async handler(inv) {
    const stdio = inv.get(options.stdio);
    const dir = inv.get(options.logDir);
    await using sessionLog =
      dir === "" ? undefined : await openSessionLog(inv, dir, logName(inv, stdio ? process.ppid : undefined));
    const session = await connect(inv);
    await runSsh(inv, session, {
      target: parseSshTarget(inv.args[0] ?? "", {
        prefix: inv.get(options.hostPrefix),
        suffix: inv.get(options.hostSuffix),
      }),
      command: inv.args.slice(1).join(" "),
      stdio,
      autostart: !inv.get(options.disableAutostart),
      wait: inv.get(options.noWait) ? "no" : inv.get(options.wait),
      app: usageApp(inv.get(options.usageApp)),
      networkInfoDir: inv.get(options.networkInfoDir),
      networkInfoMs: inv.get(options.networkInfoInterval),
      newTunnel: inv.get(options.forceNewTunnel),
      log: sessionLog?.log ?? discardLogger,
    });
  },
};

export interface SshRun {
  readonly target: SshTarget;
  /** Empty: a shell. */
  readonly command: string;
  readonly stdio: boolean;
  readonly autostart: boolean;
  readonly wait: "yes" | "no" | "auto";
  readonly app: UsageApp;
  /** Empty: no file. */
  readonly networkInfoDir: string;
  readonly networkInfoMs: number;
  /** Do not look for Coder Connect. */
  readonly newTunnel: boolean;
  readonly log: Logger;
}

/** One connection from its name to its end. */
export async function runSsh(inv: Invocation, session: Session, run: SshRun): Promise<void> {
  const { log } = run;
  log.info("connecting", { workspace: run.target.name, owner: run.target.owner, stdio: run.stdio });
  const found = await findAgent(inv, session, run.target, { autostart: run.autostart });
  const stop = new AbortController();
  const signal = AbortSignal.any([inv.signal, stop.signal]);
  const usage = reportUsage(inv, session, found, { app: run.app, signal });
  let conn: AgentConn | undefined;
  const answers = async (): Promise<boolean> => conn === undefined || (await isThere(conn, signal));
  const watching = workspaceOver(inv, session, found, { signal, answers }).then((why) => {
    if (why === undefined) return;
    inv.stderr.write(`Closing the connection: ${why}.\n`);
    log.info("over", { why });
    stop.abort(new Error(why));
  });
  try {
    if (run.stdio && !run.newTunnel && (await throughCoderConnect(inv, session, found, run, signal))) return;
    await using dialled = await waitAndDial(inv, session, found, { scripts: run.wait }, log);
    conn = dialled;
    log.info("connected", { agent: found.agent.name });
    await using _recording = recording(inv, dialled, run, stop);
    const stream = await dialled.dialTcp(sshPort, { signal });
    if (run.stdio) await passBytes(inv, stream, signal);
    else await runShell(inv, stream, run.command, signal);
  } catch (error) {
    log.error("ended", { error });
    throw error;
  } finally {
    stop.abort();
    await Promise.all([usage, watching]);
    log.info("closed");
  }
}

const pings = 3;
const pingMs = 1500;

/** A few pings, so that a lost packet or a busy machine does not end a session. */
async function isThere(conn: AgentConn, signal: AbortSignal): Promise<boolean> {
  for (let ping = 0; ping < pings && !signal.aborted; ping++) {
    const answered = await conn.ping({ signal: AbortSignal.any([signal, AbortSignal.timeout(pingMs)]) }).then(
      () => true,
      () => false,
    );
    if (answered) return true;
  }
  return signal.aborted;
}

/** Writes the network file while the connection lives; a connection without answers for a minute ends. */
function recording(inv: Invocation, conn: AgentConn, run: SshRun, owner: AbortController): AsyncDisposable {
  if (run.networkInfoDir === "") return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const stop = new AbortController();
  const done = recordNetwork(inv, conn, {
    dir: run.networkInfoDir,
    pid: process.ppid,
    intervalMs: run.networkInfoMs,
    signal: stop.signal,
  }).then(() => {
    if (!stop.signal.aborted) owner.abort(new Error("the workspace has not answered for a minute"));
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

/** True when the desktop program's tunnel carried the whole session. */
async function throughCoderConnect(
  inv: Invocation,
  { client }: Session,
  { workspace, agent }: Found,
  run: SshRun,
  signal: AbortSignal,
): Promise<boolean> {
  const info = await client
    .call(contract.workspaceagents.connectionGeneric, { signal })
    .catch(() => undefined);
  const suffix = info?.hostname_suffix;
  if (!suffix) return false;
  const name = `${agent.name}.${workspace.name}.${workspace.owner_name}.${suffix}.`;
  if (!(await servedByCoderConnect(name, signal))) return false;
  const socket = await dialCoderConnect(name, signal);
  if (!socket) return false;
  run.log.info("through Coder Connect", { name });
  if (run.networkInfoDir !== "") {
    await writeNetworkInfo(resolve(inv.cwd, run.networkInfoDir), process.ppid, coderConnectInfo);
  }
  await passBytes(inv, socket, signal);
  return true;
}
