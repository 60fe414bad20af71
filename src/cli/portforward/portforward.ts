/** `coder port-forward`: ports of a workspace on this machine, through the tunnel. */
import { completeWorkspace } from "../completeworkspace.ts";
import { createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import type { AgentConn } from "#codersdk/workspacesdk/dial.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { findAgent, waitAndDial } from "../dialworkspace.ts";
import { UserError } from "../errors.ts";
import { connect } from "../session.ts";
import { reportUsage } from "../usage.ts";
import { parseSshTarget } from "../workspaceref.ts";
import { type Forward, parseForwards } from "./spec.ts";

/** How long the workspace may take to accept one connection. */
const dialTimeoutMs = 15_000;
/** Connections at a time through all forwards of one command. */
const maxConnections = 1_000;

const tcp = option(types.strings, {
  flag: "tcp",
  shorthand: "p",
  env: "CODER_PORT_FORWARD_TCP",
  description: "Port or range to forward, as [ip:]local[-end][:remote[-end]]. Can be given several times.",
});
const disableAutostart = option(types.bool, {
  flag: "disable-autostart",
  env: "CODER_SSH_DISABLE_AUTOSTART",
  default: "false",
  description: "Do not start a stopped workspace.",
});

export const portForwardCommand: Command = {
  use: "port-forward <workspace>",
  complete: completeWorkspace,
  aliases: ["tunnel"],
  short: "Make ports of a workspace reachable on this machine.",
  long: "  - Port 8080 of the workspace on port 8080 here:\n\n       $ coder port-forward <workspace> --tcp 8080\n\n  - Several, under other numbers, and a range:\n\n       $ coder port-forward <workspace> --tcp 9000:3000,9090-9092:9090-9092\n\n  - For other machines too:\n\n       $ coder port-forward <workspace> --tcp 0.0.0.0:8080:8080",
  options: [tcp, disableAutostart],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const forwards = parseForwards(inv.get(tcp));
    if (forwards.length === 0) throw new UserError("no port-forwards requested");
    const session = await connect(inv);
    const target = parseSshTarget(inv.args[0] ?? "");
    const found = await findAgent(inv, session, target, { autostart: !inv.get(disableAutostart) });
    await using conn = await waitAndDial(inv, session, found, { scripts: "no" });
    await using listeners = new AsyncDisposableStack();
    for (const forward of forwards) await listen(inv, conn, forward, listeners);
    inv.stderr.write("Ready!\n");
    const stop = new AbortController();
    const usage = reportUsage(inv, session, found, { app: "ssh", signal: stop.signal });
    await ended(inv.signal);
    inv.stderr.write("\nReceived signal, closing all listeners and active connections\n");
    stop.abort();
    await usage;
  },
};

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Without an address: IPv4's loopback, and IPv6's where there is one. */
async function listen(
  inv: Invocation,
  conn: AgentConn,
  forward: Forward,
  owner: AsyncDisposableStack,
): Promise<void> {
  const { host, localPort } = forward;
  const sockets = new Set<Socket>();
  const accept = (socket: Socket): void => {
    if (sockets.size >= maxConnections) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    void serve(inv, conn, forward, socket);
  };
  for (const address of host === undefined ? ["::1", "127.0.0.1"] : [host]) {
    try {
      const server = await listenAt(address, localPort, accept);
      owner.defer(async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      });
      const shown = address.includes(":") ? `[${address}]` : address;
      inv.stderr.write(
        `Forwarding 'tcp://${shown}:${localPort}' locally to 'tcp://127.0.0.1:${forward.remotePort}' in the workspace\n`,
      );
    } catch (error) {
      if (host === undefined && address === "::1") continue;
      const why = error instanceof Error ? error.message : String(error);
      throw new UserError(`cannot listen on port ${localPort}: ${why}`);
    }
  }
}

function listenAt(host: string, port: number, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      // An accept that fails (too many open files) ends that connection only.
      server.on("error", () => {});
      resolve(server);
    });
  });
}

async function serve(inv: Invocation, conn: AgentConn, forward: Forward, socket: Socket): Promise<void> {
  socket.on("error", () => {});
  try {
    const signal = AbortSignal.any([inv.signal, AbortSignal.timeout(dialTimeoutMs)]);
    const stream = await conn.dialTcp(forward.remotePort, { signal });
    await Promise.all([pipeline(socket, stream), pipeline(stream, socket)]);
  } catch (error) {
    socket.destroy();
    if (inv.signal.aborted || isReset(error)) return;
    const why = error instanceof Error ? error.message : String(error);
    inv.stderr.write(`A connection to port ${forward.remotePort} failed: ${why}\n`);
  }
}

/** One side went away in the middle: ordinary. */
const isReset = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  ["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(String(error.code));
