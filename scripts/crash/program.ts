/** One real process of the harness: started detached, killed by its own number, its output kept in a file. */
import { type ChildProcess, spawn } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import { root } from "../run.ts";

export interface ProgramOptions {
  /** Arguments of `coder`. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Takes what it writes; standard output too, unless `onOutput` reads it. */
  readonly logFile: string;
  readonly onOutput?: (text: string) => void;
}

export interface Program {
  readonly pid: number;
  /** Resolves with the exit status, or with the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
  alive(): boolean;
  /** Resolves when it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts `coder ARGS` from this clone. */
export function startProgram({ args, env, logFile, onOutput }: ProgramOptions): Program {
  const log = openSync(logFile, "a");
  const child: ChildProcess = spawn(process.execPath, ["src/cmd/coder.ts", ...args], {
    cwd: root,
    env,
    detached: true,
    stdio: ["ignore", onOutput ? "pipe" : log, log],
  });
  closeSync(log);
  if (onOutput) child.stdout?.setEncoding("utf8").on("data", onOutput);
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(code ?? signal ?? "unknown"));
  });
  let running = true;
  void ended.then(() => (running = false));
  return {
    pid: child.pid ?? 0,
    ended,
    alive: () => running,
    async kill(signal = "SIGKILL") {
      if (running) child.kill(signal);
      await ended;
    },
  };
}

/** Runs `coder ARGS` to its end; throws with what it said when it fails. */
export async function runProgram(options: Omit<ProgramOptions, "onOutput">): Promise<string> {
  let output = "";
  const program = startProgram({ ...options, onOutput: (text) => (output += text) });
  const status = await program.ended;
  if (status !== 0) throw new Error(`coder ${options.args.join(" ")} ended with ${status}: ${output}`);
  return output;
}
