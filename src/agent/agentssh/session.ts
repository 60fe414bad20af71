/**
 * One session channel: variables, a terminal if asked for, then exactly one of shell, command, sftp. Ends with the
 * process's exit status, sent after the last byte of its output.
 */
import type { Connection, PseudoTtyInfo, ServerChannel, Session } from "ssh2";
import { shellWords } from "../command/shell-words.ts";
import { forwardAgent, type Forwarding } from "./agent-forward.ts";
import type { Modes } from "./modes.ts";
import type { OfferOptions } from "./offer.ts";
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
import { forwardX11 } from "./x11.ts";

/** Programs that move files; `blockFileTransfer` refuses them. A sign, not a wall. */
const transferPrograms = new Set(["nc", "rsync", "scp", "sftp"]);

const kinds: Readonly<Record<string, SessionKind>> = {
  "": "ssh",
  ssh: "ssh",
  vscode: "vscode",
  jetbrains: "jetbrains",
};

export type SessionContext = SessionOptions &
  OfferOptions & {
    readonly connection: Connection;
    /** Modes of the `pty-req` that is being handled. */
    readonly ptyModes: () => Modes;
  };

/** Resolves when the session is over, its process ended or told to. Never rejects. */
export function startSession(session: Session, options: SessionContext): Promise<void> {
  const env: Record<string, string> = {};
  const extra: Record<string, string> = {};
  /** Set up by earlier requests, before the command starts. */
  const pending: Promise<void>[] = [];
  const forwards = new AsyncDisposableStack();
  let bytes = 0;
  let terminal: PseudoTtyInfo | undefined;
  let modes: Modes = new Map();
  const over = Promise.withResolvers<void>();
  const run = (work: () => Promise<void>): void => {
    over.resolve(
      Promise.all(pending)
        .then(work)
        .catch((error: unknown) => options.log.warn("ssh session failed", { error }))
        .finally(() => forwards.disposeAsync()),
    );
  };
  const forward = (
    what: string,
    start: () => Promise<Forwarding>,
    reject: (() => void) | undefined,
  ): void => {
    pending.push(
      start().then(
        ({ variables, ...forwarding }) => {
          forwards.use(forwarding);
          Object.assign(extra, variables);
        },
        (error: unknown) => {
          options.log.warn("ssh forwarding failed", { what, error });
          reject?.();
        },
      ),
    );
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
    modes = options.ptyModes();
    accept?.();
  });
  session.on("auth-agent", (accept: (() => void) | undefined) => {
    accept?.();
    forward("agent", () => forwardAgent(options), undefined);
  });
  session.on("x11", (accept: (() => void) | undefined, reject: (() => void) | undefined, info) => {
    const home = options.command({ text: "" }).env["HOME"] ?? "/";
    forward("x11", () => forwardX11(info, { ...options, home }).finally(() => accept?.()), reject);
  });
  const start = (accept: () => ServerChannel, command: string): void => {
    // At once: what the client sends next is for this channel.
    const channel = accept();
    run(() => runCommand(channel, session, { command, env, extra, terminal, modes }, options));
  };
  session.on("shell", (accept) => start(accept, ""));
  session.on("exec", (accept, _reject, { command }) => start(accept, command));
  session.on("subsystem", (accept: () => ServerChannel, reject: (() => void) | undefined, { name }) => {
    const { kind } = takeKind(env);
    if (name !== "sftp") {
      reject?.();
      return;
    }
    const end = began(kind, options);
    const channel = accept();
    run(async () => {
      const result = await runSftp(channel, options);
      end?.(result.code, result.reason);
    });
  });
  const end = (): void => {
    over.resolve();
    void forwards.disposeAsync();
  };
  session.on("close", end);
  options.gone.addEventListener("abort", end, { once: true });
  return over.promise;
}

async function runCommand(
  channel: ServerChannel,
  session: Session,
  request: SessionRequest,
  options: SessionOptions,
): Promise<void> {
  const { kind, rest } = takeKind(request.env);
  const end = began(kind, options);
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

/** JetBrains opens sessions by the hundreds; its forwarded port is what counts. */
function began(kind: SessionKind, { onSession, peer }: SessionOptions) {
  return kind === "jetbrains" ? undefined : onSession?.(kind, peer);
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
