import { pipeline } from "node:stream/promises";
import { contract } from "#codersdk/contract.ts";
import type { AgentConn } from "#codersdk/workspacesdk/dial.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { type Found, findAgent, waitAndDial } from "./dialworkspace.ts";
import { ExitError } from "./errors.ts";
import { parsePairs } from "./parameters.ts";
import { connect, type Session } from "./session.ts";
import { parseSshTarget } from "./workspaceref.ts";

/** Port of the ssh server inside the tailnet. */
const sshPort = 1;
const usageEveryMs = 60_000;

const stdio = option(types.bool, {
  flag: "stdio",
  env: "CODER_SSH_STDIO",
  description:
    "Pass bytes between standard input and output and the workspace's ssh server, for ProxyCommand.",
});
const hostPrefix = option(types.string, {
  flag: "ssh-host-prefix",
  env: "CODER_SSH_SSH_HOST_PREFIX",
  description: "Prefix to strip from the host name.",
});
const hostSuffix = option(types.string, {
  flag: "hostname-suffix",
  env: "CODER_SSH_HOSTNAME_SUFFIX",
  description: "Suffix to strip from the host name.",
});
const wait = option(types.oneOf("auto", "yes", "no"), {
  flag: "wait",
  env: "CODER_SSH_WAIT",
  default: "auto",
  description: "Whether to wait for startup scripts.",
});
const disableAutostart = option(types.bool, {
  flag: "disable-autostart",
  env: "CODER_SSH_DISABLE_AUTOSTART",
  description: "Do not start a stopped workspace.",
});
const tty = option(types.bool, {
  flag: "tty",
  shorthand: "t",
  description: "Run the command in a terminal.",
});
const env = option(types.strings, {
  flag: "env",
  shorthand: "e",
  env: "CODER_SSH_ENV",
  description: "Environment variable of the session, as name=value. Can be given several times.",
});
const usageApp = option(types.string, {
  flag: "usage-app",
  env: "CODER_SSH_USAGE_APP",
  hidden: true,
  description: "Program that the usage counts for; disable: none.",
});

export const sshCommand: Command = {
  use: "ssh <workspace> [command...]",
  short: "Open a shell in a workspace, or run a command there.",
  options: [stdio, hostPrefix, hostSuffix, wait, disableAutostart, tty, env, usageApp],
  args: { min: 1, max: Number.POSITIVE_INFINITY },
  async handler(inv) {
    const session = await connect(inv);
    const target = parseSshTarget(inv.args[0] ?? "", {
      prefix: inv.get(hostPrefix),
      suffix: inv.get(hostSuffix),
    });
    const found = await findAgent(inv, session, target, { autostart: !inv.get(disableAutostart) });
    await using conn = await waitAndDial(inv, session, found, { scripts: inv.get(wait) });
    const stop = new AbortController();
    const usage = reportUsage(inv, session, found, stop.signal);
    try {
      if (inv.get(stdio)) await passBytes(inv, conn);
      else await runSession(inv, conn, inv.args.slice(1).join(" "));
    } finally {
      stop.abort();
      await usage;
    }
  },
};

/** Nothing but the ssh protocol goes to standard output. The end of input is passed on; the workspace closes. */
async function passBytes(inv: Invocation, conn: AgentConn): Promise<void> {
  const stream = await conn.dialTcp(sshPort);
  inv.signal.addEventListener("abort", () => stream.destroy(), { once: true });
  const up = pipeline(inv.stdin, stream).catch(() => {});
  await pipeline(stream, inv.stdout, { end: false }).catch((error: unknown) => {
    if (!inv.signal.aborted && !isEarlyClose(error)) throw error;
  });
  inv.stdin.unpipe?.(stream);
  inv.stdin.destroy();
  await up;
}

const isEarlyClose = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";

async function runSession(inv: Invocation, conn: AgentConn, command: string): Promise<void> {
  const { dialSsh, openSession } = await import("#ssh/client.ts");
  const client = await dialSsh(await conn.dialTcp(sshPort), { signal: inv.signal });
  const raw = inv.stdin.isTTY && (command === "" || inv.get(tty)) ? rawMode(inv.stdin) : undefined;
  try {
    const wantsTerminal = command === "" || inv.get(tty);
    const size = { cols: inv.stdout.columns ?? 128, rows: rowsOf(inv.stdout) };
    const { channel, exited } = await openSession(client, command, {
      ...(wantsTerminal ? { terminal: { term: inv.env["TERM"] ?? "xterm-256color", ...size } } : {}),
      env: Object.fromEntries(parsePairs(inv.get(env)).map(({ name, value }) => [name, value])),
    });
    inv.signal.addEventListener("abort", () => client.end(), { once: true });
    const resize = (): void => channel.setWindow(rowsOf(inv.stdout), inv.stdout.columns ?? 128, 0, 0);
    if (wantsTerminal) inv.stdout.on("resize", resize);
    inv.stdin.pipe(channel);
    channel.pipe(inv.stdout, { end: false });
    channel.stderr.pipe(inv.stderr, { end: false });
    const status = await exited;
    inv.stdin.unpipe(channel);
    inv.stdout.off("resize", resize);
    if (status !== 0) throw new ExitError(status);
  } finally {
    raw?.[Symbol.dispose]();
    client.end();
  }
}

const rowsOf = (stream: object): number =>
  "rows" in stream && typeof stream.rows === "number" ? stream.rows : 128;

function rawMode(stdin: Invocation["stdin"]): Disposable {
  const set =
    "setRawMode" in stdin && typeof stdin.setRawMode === "function"
      ? stdin.setRawMode.bind(stdin)
      : undefined;
  set?.(true);
  return { [Symbol.dispose]: () => set?.(false) };
}

/** Tells the server that the workspace is used, so that it does not stop under its user. Failing is no reason to end. */
async function reportUsage(
  inv: Invocation,
  { client }: Session,
  { workspace, agent }: Found,
  signal: AbortSignal,
): Promise<void> {
  const app = inv.get(usageApp) || "ssh";
  if (app === "disable") return;
  const report = async (): Promise<void> => {
    try {
      const name = app === "vscode" || app === "jetbrains" ? app : "ssh";
      await client.call(contract.workspaces.usage, {
        params: { workspace: workspace.id },
        body: { agent_id: agent.id, app_name: name },
        signal,
      });
    } catch {
      // The next minute asks again.
    }
  };
  await report();
  for await (const _ of inv.clock.ticks(usageEveryMs, { signal, unref: true })) await report();
}
