/**
 * The client's side of ssh over any byte stream: the CLI dials a workspace through the tailnet and speaks ssh on the
 * stream it gets. No authentication: the tunnel has done it.
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type Client, type ClientChannel, type ExecOptions } from "ssh2";

export interface TerminalRequest {
  readonly term: string;
  readonly cols: number;
  readonly rows: number;
}

export interface DialSshOptions {
  /** @default "coder" */
  readonly username?: string;
  readonly signal?: AbortSignal | undefined;
  /** @default 30_000 */
  readonly timeoutMs?: number;
  /** Socket of an ssh agent that sessions may use. */
  readonly agentForward?: string;
}

/** Resolves when ssh is ready for channels. The client owns the stream: `client.end()` closes it. */
export function dialSsh(transport: Duplex, options: DialSshOptions = {}): Promise<Client> {
  const { signal, timeoutMs = 30_000, username = "coder" } = options;
  if (transport instanceof Socket) transport.setNoDelay(true);
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const client = new ssh2.Client();
    const abort = (): void => {
      transport.destroy();
      reject(signal?.reason);
    };
    const settled = (): void => signal?.removeEventListener("abort", abort);
    signal?.addEventListener("abort", abort, { once: true });
    client.on("error", (error) => (settled(), reject(error)));
    client.once("close", () => (settled(), reject(new Error("the connection ended before ssh was ready"))));
    client.once("ready", () => (settled(), resolve(client)));
    client.connect({
      sock: transport,
      username,
      authHandler: ["none"],
      // The tailnet's keys have told who is there; agents' host keys prove nothing.
      hostVerifier: () => true,
      readyTimeout: timeoutMs,
      keepaliveInterval: 0,
      ...(options.agentForward === undefined ? {} : { agent: options.agentForward, agentForward: true }),
    });
  });
}

export interface OpenOptions {
  /** Runs in a terminal of this kind. */
  readonly terminal?: TerminalRequest | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

export interface SshSession {
  readonly channel: ClientChannel;
  /** Resolves at the end with the exit code: 255 when there was none (a signal, a lost connection). */
  readonly exited: Promise<number>;
}

/** Starts a command, or the login shell if it is empty. */
export function openSession(client: Client, command: string, options: OpenOptions = {}): Promise<SshSession> {
  const { terminal, env = {} } = options;
  return new Promise((resolve, reject) => {
    const opened = (error: Error | undefined, channel: ClientChannel): void => {
      // Listening begins here and not in a later tick: a short command's exit may be in the packet at hand.
      if (error) reject(error);
      else resolve({ channel, exited: exitCode(channel) });
    };
    if (command === "") {
      client.shell(terminal ? { ...terminal } : false, { env: { ...env } }, opened);
      return;
    }
    const request: ExecOptions = { env: { ...env } };
    if (terminal) request.pty = { ...terminal };
    client.exec(command, request, opened);
  });
}

function exitCode(channel: ClientChannel): Promise<number> {
  return new Promise((resolve) => {
    let code = 255;
    channel.on("exit", (status: number | null) => {
      if (status !== null) code = status;
    });
    channel.once("close", () => resolve(code));
  });
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** What one command may print before it is an error. */
const maxOutput = 64 * 1024 * 1024;

/** Runs a command to its end and collects what it printed. */
export async function runCommand(
  client: Client,
  command: string,
  options: OpenOptions & { readonly input?: string } = {},
): Promise<CommandResult> {
  const { channel, exited } = await openSession(client, command, options);
  const stdout = collect(channel);
  const stderr = collect(channel.stderr);
  channel.end(options.input ?? "");
  return { code: await exited, stdout: await stdout, stderr: await stderr };
}

async function collect(source: AsyncIterable<unknown>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of source) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.length;
    if (size > maxOutput) throw new Error(`the command printed more than ${maxOutput} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
