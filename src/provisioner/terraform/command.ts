/**
 * Runs a command in a session's name: its output goes line by line to the caller, a cancel interrupts it, a kill ends
 * it with all that it started.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import type { Clock } from "#quartz/clock.ts";
import { trackCommand } from "#provisionersdk/leftover.ts";
import { LineSplitter } from "./lines.ts";

export interface Command {
  /** Program and arguments. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The session's folder, which knows what runs in its name. */
  readonly workDir?: string;
  /** The whole environment: nothing of this process's own is added. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Interrupt (SIGINT), once. */
  readonly canceled: AbortSignal;
  /** Kill (SIGKILL), the whole process group. */
  readonly killed: AbortSignal;
  readonly onStdout: (line: string) => void;
  readonly onStderr: (line: string) => void;
}

/** How a command ended. */
export interface Exit {
  readonly ok: boolean;
  /** `exit status 1`, `signal: killed`; "" where it is ok. */
  readonly reason: string;
}

/** The command never ran, or must not. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

const signalNames = new Map([
  ["SIGINT", "interrupt"],
  ["SIGKILL", "killed"],
  ["SIGTERM", "terminated"],
  ["SIGSEGV", "segmentation fault"],
]);

function exitOf(code: number | null, signal: NodeJS.Signals | null): Exit {
  if (code === 0) return { ok: true, reason: "" };
  if (code !== null) return { ok: false, reason: `exit status ${code}` };
  return { ok: false, reason: `signal: ${signalNames.get(signal ?? "") ?? signal}` };
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/**
 * The child leads a process group of its own: a Ctrl-C in our terminal does not reach it, and a kill reaches what it
 * has started. The interrupt goes to the child alone: Terraform tells its own children what to do.
 */
function start({ argv, cwd, env }: Command): Promise<Child> {
  const [file = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    child.once("spawn", () => resolve(child));
    child.once("error", (cause) =>
      reject(new CommandError(`cannot run ${file}: ${cause.message}`, { cause })),
    );
  });
}

function killGroup({ pid }: Child): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}

/** Resolves when the command and its output have ended. Throws a CommandError where it cannot start. */
export async function runCommand(command: Command): Promise<Exit> {
  const { canceled, killed, onStdout, onStderr } = command;
  if (canceled.aborted || killed.aborted) throw new CommandError("context canceled");
  const child = await start(command);
  using _tracked =
    command.workDir === undefined || child.pid === undefined
      ? undefined
      : trackCommand(command.workDir, child.pid);
  const interrupt = (): void => void child.kill("SIGINT");
  const kill = (): void => killGroup(child);
  canceled.addEventListener("abort", interrupt, { once: true });
  killed.addEventListener("abort", kill, { once: true });
  // It may have been cancelled while it started.
  if (canceled.aborted) interrupt();
  if (killed.aborted) kill();
  try {
    return await ended(child, command.clock, new LineSplitter(onStdout), new LineSplitter(onStderr));
  } finally {
    canceled.removeEventListener("abort", interrupt);
    killed.removeEventListener("abort", kill);
  }
}

/** A process that the command left behind may hold its pipes; after this long they are given up. */
const pipesAfterExitMs = 5_000;

function ended(child: Child, clock: Clock, stdout: LineSplitter, stderr: LineSplitter): Promise<Exit> {
  child.stdout.on("data", (chunk: Buffer) => stdout.write(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.write(chunk));
  return new Promise((resolve) => {
    child.once("exit", () => {
      const giveUp = clock.timer(
        pipesAfterExitMs,
        () => {
          child.stdout.destroy();
          child.stderr.destroy();
        },
        { tag: "pipes-after-exit" },
      );
      child.once("close", () => giveUp.stop());
    });
    child.once("close", (code, signal) => {
      stdout.end();
      stderr.end();
      resolve(exitOf(code, signal));
    });
  });
}

/** A command's whole standard output; `maxBytes` bounds it. Throws with its standard error where it fails. */
export async function captureCommand(
  command: Omit<Command, "onStdout" | "onStderr">,
  what: string,
  maxBytes = 256 << 20,
): Promise<string> {
  const out: string[] = [];
  const errors: string[] = [];
  let size = 0;
  const exit = await runCommand({
    ...command,
    onStdout(line) {
      size += line.length + 1;
      if (size <= maxBytes) out.push(line);
    },
    onStderr(line) {
      if (errors.length < 50) errors.push(line);
    },
  });
  if (!exit.ok) {
    const details = errors.filter((line) => line.trim() !== "").join("\n");
    throw new CommandError(`${what}: ${exit.reason}${details === "" ? "" : `\n${details}`}`);
  }
  if (size > maxBytes) throw new CommandError(`${what}: its output exceeds ${maxBytes} bytes`);
  return out.join("\n");
}
