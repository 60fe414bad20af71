/** A command or login shell in a terminal. The process is hung up when the client goes. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerChannel, Session } from "ssh2";
import { Pty, signalName } from "#pty/pty.ts";
import type { Command } from "../command/command.ts";
import { type Modes, sttyArguments } from "./modes.ts";
import { exitCodes, reasonOf, type SessionEnd, type SessionOptions, type SessionRequest } from "./options.ts";
import { closedSignal, onSignals } from "./plain.ts";
import { pump, write } from "./pump.ts";

/** A message of the day longer than this is cut. */
const maxMotd = 64 * 1024;

export async function runTerminal(
  channel: ServerChannel,
  session: Session,
  request: SessionRequest,
  options: SessionOptions,
): Promise<SessionEnd> {
  const { terminal } = request;
  const closed = closedSignal(channel, options.gone);
  const extra = { ...request.extra, TERM: terminal?.term || "xterm-256color" };
  const command = options.command({ text: request.command, env: request.env, extra });
  const { env, cwd } = command;
  const { file, args } = inTerminal(command, request.modes);
  if (request.command === "") await greet(channel, env["HOME"] ?? "/", options, closed);
  const pty = Pty.start({
    command: file,
    args,
    env: { ...env, ...extra },
    cwd,
    clock: options.clock,
    cols: terminal?.cols ?? 80,
    rows: terminal?.rows ?? 24,
  });
  const hangUp = (): void => void pty.destroy();
  closed.addEventListener("abort", hangUp, { once: true });
  options.closing.addEventListener("abort", hangUp, { once: true });
  if (closed.aborted) hangUp();
  session.on("window-change", (accept: (() => void) | undefined, _reject, { cols, rows }) => {
    pty.resize({ cols, rows });
    accept?.();
  });
  onSignals(session, (signal) => pty.kill(signal));
  channel.on("data", (bytes: Buffer) => {
    if (!pty.write(bytes)) channel.pause();
  });
  pty.on("drain", () => channel.resume());
  await pump(pty, channel, { transport: options.transport, closed });
  const { code, signal } = await pty.exited;
  options.closing.removeEventListener("abort", hangUp);
  if (signal !== 0) {
    return { code: exitCodes.signal, reason: `process ended by ${signalName(signal) ?? signal}` };
  }
  return { code, reason: reasonOf(code) };
}

/** A shell sets the modes, and the terminal's name, before it becomes the command, which never sees others. */
function inTerminal(command: Command, modes: Modes): Pick<Command, "file" | "args"> {
  if (!existsSync(shell)) return command;
  const wanted = sttyArguments(modes);
  const stty = wanted.length === 0 ? "" : `stty ${wanted.join(" ")} 2>/dev/null; `;
  const script = `${stty}SSH_TTY=$(tty) && export SSH_TTY; exec "$@"`;
  return { file: shell, args: ["-c", script, "sh", command.file, ...command.args] };
}

const shell = "/bin/sh";

/** Announcements and the message of the day; `~/.hushlogin` silences the latter. */
async function greet(
  channel: ServerChannel,
  home: string,
  options: SessionOptions,
  closed: AbortSignal,
): Promise<void> {
  const lines = (options.banners?.() ?? []).map((banner) => banner.trim()).filter((banner) => banner !== "");
  const parts = lines.map((banner) => `${banner}\n\n`);
  const motd = options.motdFile?.() ?? "";
  if (motd !== "" && !existsSync(join(home, ".hushlogin"))) {
    const text = await readFile(motd, "utf8").catch(() => "");
    if (text !== "") parts.push(text.slice(0, maxMotd));
  }
  const shown = parts.join("").replaceAll(/\r?\n/gu, "\r\n");
  if (shown !== "") await write(channel, shown, closed);
}
