/**
 * A command without a terminal: three streams and an exit code. The process leads a session of its own. A client that
 * goes away does not kill it (OpenSSH does not either); its next write to a closed stream does.
 */
import { constants } from "node:os";
import type { ServerChannel, Session } from "ssh2";
import { spawnWithSockets } from "../command/spawner.ts";
import { exitCodes, reasonOf, type SessionEnd, type SessionOptions, type SessionRequest } from "./options.ts";
import { pump } from "./pump.ts";

export async function runPlain(
  channel: ServerChannel,
  session: Session,
  request: SessionRequest,
  options: SessionOptions,
): Promise<SessionEnd> {
  const { spawn = spawnWithSockets } = options;
  const command = options.command({ text: request.command, env: request.env, extra: request.extra });
  const { child, stdin, stdout, stderr } = await spawn(command, { stdin: true });
  const exit = new Promise<SessionEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === null) {
        resolve({ code: exitCodes.signal, reason: `process ended by ${signal ?? "a signal"}` });
      } else resolve({ code, reason: reasonOf(code) });
    });
  });
  const hangUp = (): void => signalGroup(child.pid, "SIGHUP");
  options.closing.addEventListener("abort", hangUp, { once: true });
  const closed = closedSignal(channel, options.gone);
  onSignals(session, (signal) => void child.kill(signal));
  // A process that does not read its input, or has ended, is no error.
  stdin?.on("error", () => stdin.destroy());
  if (stdin) channel.pipe(stdin);
  const link = { transport: options.transport, closed };
  const output = Promise.all([pump(stdout, channel, link), pump(stderr, channel.stderr, link)]);
  try {
    const [end] = await Promise.all([exit, output]);
    return end;
  } finally {
    options.closing.removeEventListener("abort", hangUp);
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended.
  }
}

/** Aborts when the channel or its connection is closed. */
export function closedSignal(channel: ServerChannel, gone: AbortSignal): AbortSignal {
  const closed = new AbortController();
  channel.once("close", () => closed.abort());
  return AbortSignal.any([closed.signal, gone]);
}

const allowed = new Set([
  "ABRT",
  "ALRM",
  "FPE",
  "HUP",
  "ILL",
  "INT",
  "KILL",
  "PIPE",
  "QUIT",
  "SEGV",
  "TERM",
  "USR1",
  "USR2",
]);

/** RFC 4254 §6.9; names without SIG. Others kill. */
export function onSignals(session: Session, send: (signal: NodeJS.Signals) => void): void {
  session.on("signal", (accept: (() => void) | undefined, _reject, { name }) => {
    const wanted = `SIG${allowed.has(name) ? name : "KILL"}`;
    for (const signal of signals) if (signal === wanted) send(signal);
    accept?.();
  });
}

const signals = Object.keys(constants.signals).filter((name): name is NodeJS.Signals =>
  name.startsWith("SIG"),
);
