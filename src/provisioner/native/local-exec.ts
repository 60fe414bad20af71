/** The local-exec provisioner: a command, its output line by line, killed with everything it started in its group. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { Clock } from "#quartz/clock.ts";
import { trackCommand } from "#provisionersdk/leftover.ts";

export interface Command {
  readonly command: string;
  /** `["/bin/sh", "-c"]` by default. */
  readonly interpreter: readonly string[];
  readonly workingDir?: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface CommandOptions {
  /** Folder that a relative working_dir starts from. */
  readonly base: string;
  /** The session's folder, which knows what runs in its name. */
  readonly workDir: string;
  /** Environment below the command's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly line: (text: string) => void;
  /** Ends the command gently, `killed` by force. */
  readonly canceled: AbortSignal;
  readonly killed: AbortSignal;
}

const maxLine = 64 * 1024;
const maxOutput = 1024 * 1024;
/** After a command's end, what it left in the background may hold its output open: wait no longer than this. */
const drainMs = 500;
const graceMs = 10_000;

/** Resolves when the command succeeded; throws with its status or signal otherwise. */
export async function runCommand(command: Command, options: CommandOptions): Promise<void> {
  const [program = "/bin/sh", ...args] = command.interpreter;
  options.canceled.throwIfAborted();
  const child = spawn(program, [...args, command.command], {
    cwd: resolve(options.base, command.workingDir ?? "."),
    env: { ...options.env, ...command.environment },
    stdio: ["ignore", "pipe", "pipe"],
    // Its own group, so that a signal reaches all of it.
    detached: true,
  });
  using _tracked = child.pid === undefined ? undefined : trackCommand(options.workDir, child.pid);
  const signal = (name: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // It is gone already.
    }
  };
  const force = options.clock.timer(graceMs, () => signal("SIGKILL"));
  force.stop();
  const onCancel = (): void => {
    signal("SIGTERM");
    force.reset(graceMs);
  };
  const onKill = (): void => signal("SIGKILL");
  options.canceled.addEventListener("abort", onCancel, { once: true });
  options.killed.addEventListener("abort", onKill, { once: true });
  const budget = { left: maxOutput };
  const read = [child.stdout, child.stderr].map((stream) => readLines(stream, budget, options.line));
  try {
    const { status, name } = await new Promise<{ status: number | null; name: NodeJS.Signals | null }>(
      (done, fail) => {
        child.once("error", fail);
        child.once("exit", (code, by) => done({ status: code, name: by }));
      },
    );
    const drained = Promise.all(read);
    const stop = new AbortController();
    await Promise.race([drained, options.clock.sleep(drainMs, { signal: stop.signal }).catch(() => {})]);
    stop.abort();
    if (options.canceled.aborted) throw new Error("canceled");
    if (name !== null) throw new Error(`the command was ended by ${name}`);
    if (status !== 0) throw new Error(`exit status ${status}`);
  } finally {
    force.stop();
    options.canceled.removeEventListener("abort", onCancel);
    options.killed.removeEventListener("abort", onKill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

async function readLines(
  stream: Readable,
  budget: { left: number },
  line: (text: string) => void,
): Promise<void> {
  const reader = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const text of reader) {
      if (budget.left <= 0) continue;
      const cut = text.length > maxLine ? `${text.slice(0, maxLine)} …` : text;
      budget.left -= cut.length + 1;
      line(cut);
      if (budget.left <= 0) line("The command printed more than 1 MiB; the rest is not shown.");
    }
  } catch {
    // Its end was closed by us.
  }
}
