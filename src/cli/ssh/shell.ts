/** A shell or a command in a workspace, by our own ssh client. */
import type { Duplex } from "node:stream";
import type { Invocation } from "#serpent/command.ts";
import { ExitError, UserError } from "../errors.ts";
import { parsePairs } from "../parameters.ts";
import { sshOptions as options } from "./options.ts";
import { openRemoteForwards, parseRemoteForward } from "./remoteforward.ts";

/** Ends with the remote status: 255 and a word about it when the connection is lost. */
export async function runShell(
  inv: Invocation,
  stream: Duplex,
  command: string,
  signal: AbortSignal,
): Promise<void> {
  const { dialSsh, openSession } = await import("#ssh/client.ts");
  const forwards = inv.get(options.remoteForward).map(parseRemoteForward);
  const client = await dialSsh(stream, { signal, ...agentSocket(inv) });
  const wantsTerminal = command === "" || inv.get(options.tty);
  const raw = inv.stdin.isTTY && wantsTerminal ? rawMode(inv.stdin) : undefined;
  // A workspace that is gone never answers our goodbye.
  const stop = (): void => {
    client.end();
    stream.destroy();
  };
  try {
    await openRemoteForwards(client, forwards);
    const size = { cols: inv.stdout.columns ?? 128, rows: rowsOf(inv.stdout) };
    const { channel, exited } = await openSession(client, command, {
      ...(wantsTerminal ? { terminal: { term: inv.env["TERM"] ?? "xterm-256color", ...size } } : {}),
      env: Object.fromEntries(parsePairs(inv.get(options.env)).map(({ name, value }) => [name, value])),
    });
    signal.addEventListener("abort", stop, { once: true });
    const resize = (): void => channel.setWindow(rowsOf(inv.stdout), inv.stdout.columns ?? 128, 0, 0);
    if (wantsTerminal) inv.stdout.on("resize", resize);
    inv.stdin.pipe(channel);
    channel.pipe(inv.stdout, { end: false });
    channel.stderr.pipe(inv.stderr, { end: false });
    const status = await exited;
    inv.stdin.unpipe(channel);
    inv.stdout.off("resize", resize);
    const lost = status === 255 && (stream.destroyed || stream.readableEnded) && !signal.aborted;
    if (status !== 0) throw new ExitError(status, lost ? "SSH connection ended unexpectedly" : "");
  } finally {
    signal.removeEventListener("abort", stop);
    raw?.[Symbol.dispose]();
    client.end();
  }
}

function agentSocket(inv: Invocation): { readonly agentForward?: string } {
  const socket = inv.get(options.identityAgent);
  if (socket === "" && !inv.get(options.forwardAgent)) return {};
  const path = socket || inv.env["SSH_AUTH_SOCK"];
  if (!path) throw new UserError("there is no ssh agent to forward: SSH_AUTH_SOCK is not set");
  return { agentForward: path };
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
