/**
 * One session channel: variables, a terminal if asked for, then exactly one of shell, command, sftp. Ends with the
 * process's exit status, sent after the last byte of its output.
 */
import type { PseudoTtyInfo, ServerChannel, Session } from "ssh2";
import { shellWords } from "../command/shell-words.ts";
import {
  exitCodes,
  limits,
  type SessionEnd,
  type SessionKind,
  type SessionOptions,
  type SessionRequest,
} from "./options.ts";
import { closedSignal, runPlain } from "./plain.ts";
import { serveSftp } from "./sftp/serve.ts";
import { runTerminal } from "./terminal.ts";

/** Programs that move files; `blockFileTransfer` refuses them. A sign, not a wall. */
const transferPrograms = new Set(["nc", "rsync", "scp", "sftp"]);

const kinds: Readonly<Record<string, SessionKind>> = {
  "": "ssh",
  ssh: "ssh",
  vscode: "vscode",
  jetbrains: "jetbrains",
};

/** Resolves when the session is over, its process ended or told to. Never rejects. */
export function startSession(session: Session, options: SessionOptions): Promise<void> {
  const env: Record<string, string> = {};
  let bytes = 0;
  let terminal: PseudoTtyInfo | undefined;
  const over = Promise.withResolvers<void>();
  const run = (work: () => Promise<void>): void => {
    over.resolve(work().catch((error: unknown) => options.log.warn("ssh session failed", { error })));
  };

  session.on("env", (accept: (() => void) | undefined, reject: (() => void) | undefined, { key, val }) => {
    bytes += key.length + val.length;
    if (Object.keys(env).length >= limits.variables || bytes > limits.variableBytes || /[\0=]/u.test(key)) {
      return reject?.();
    }
    env[key] = val;
    accept?.();
  });
  session.on("pty", (accept: (() => void) | undefined, _reject, info) => {
    terminal = info;
    accept?.();
  });
  const start = (accept: () => ServerChannel, command: string): void => {
    run(() => runCommand(accept(), session, { command, env, terminal }, options));
  };
  session.on("shell", (accept) => start(accept, ""));
  session.on("exec", (accept, _reject, { command }) => start(accept, command));
  session.on("subsystem", (accept: () => ServerChannel, reject: (() => void) | undefined, { name }) => {
    const { kind } = takeKind(env);
    if (name !== "sftp") {
      reject?.();
      return;
    }
    const end = options.onSession?.(kind, options.peer);
    run(async () => {
      const result = await runSftp(accept(), options);
      end?.(result.code, result.reason);
    });
  });
  session.on("close", () => over.resolve());
  options.gone.addEventListener("abort", () => over.resolve(), { once: true });
  return over.promise;
}

async function runCommand(
  channel: ServerChannel,
  session: Session,
  request: SessionRequest,
  options: SessionOptions,
): Promise<void> {
  const { kind, rest } = takeKind(request.env);
  const end = options.onSession?.(kind, options.peer);
  let result: SessionEnd;
  if (options.blockFileTransfer && isTransfer(request.command)) {
    // 2 is scp's mark for a fatal error, so that scp shows the text.
    channel.stderr.write("\u0002File transfer has been disabled.\n");
    result = { code: exitCodes.transferBlocked, reason: "file transfer blocked" };
  } else {
    try {
      const run = request.terminal ? runTerminal : runPlain;
      result = await run(channel, session, { ...request, env: rest }, options);
    } catch (error) {
      options.log.warn("ssh command failed", { error });
      const reason = error instanceof Error ? error.message : String(error);
      channel.stderr.write(`${reason}\n`);
      result = { code: exitCodes.failed, reason };
    }
  }
  end?.(result.code, result.reason);
  if (options.closing.aborted) return channel.close();
  channel.exit(result.code);
  channel.end();
  channel.resume();
}

async function runSftp(channel: ServerChannel, options: SessionOptions): Promise<SessionEnd> {
  let result: SessionEnd;
  if (options.blockFileTransfer) {
    result = { code: exitCodes.transferBlocked, reason: "file transfer blocked" };
  } else {
    const { cwd } = options.command({ text: "" });
    const closed = closedSignal(channel, options.gone);
    result = await serveSftp(channel, { transport: options.transport, directory: cwd, closed });
  }
  if (options.closing.aborted) channel.close();
  else {
    channel.exit(result.code);
    channel.end();
  }
  return result;
}

function isTransfer(command: string): boolean {
  const first = shellWords(command)?.[0] ?? "";
  return transferPrograms.has(first.slice(first.lastIndexOf("/") + 1));
}

/** The kind of a session is a variable that commands do not see. */
function takeKind(env: Readonly<Record<string, string>>): {
  kind: SessionKind;
  rest: Record<string, string>;
} {
  const { CODER_SSH_SESSION_TYPE: type = "", CODER_CONTAINER: _c, CODER_CONTAINER_USER: _u, ...rest } = env;
  return { kind: kinds[type.toLowerCase()] ?? "unknown", rest };
}
