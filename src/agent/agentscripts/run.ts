/**
 * One run of one script: its process in a session of its own, its output as lines and into a file, its time limit, and
 * what to report (spec agent §8). Never rejects: a script that cannot start is a result too.
 */
import type { ChildProcess } from "node:child_process";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import type { Clock, Timer } from "#quartz/clock.ts";
import type { Command } from "../command/command.ts";
import { type Spawn, spawnWithSockets } from "../command/spawner.ts";
import { LineSplitter } from "./lines.ts";

export type ScriptStatus = "ok" | "exit_failure" | "timed_out" | "pipes_left_open";

export interface ScriptRun {
  readonly start: Date;
  readonly end: Date;
  /** The process's; −1 for a signal, 255 when it is not known. */
  readonly exitCode: number;
  readonly status: ScriptStatus;
}

export interface RunOptions {
  readonly command: Command;
  /** @default by sockets */
  readonly spawn?: Spawn | undefined;
  /** Raw output goes here; an earlier run's is replaced. */
  readonly logFile: string;
  /** 0 = none. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Ends the script as its time limit would. */
  readonly signal: AbortSignal;
  readonly onLine: (stream: "stdout" | "stderr", line: string) => void;
}

/** From the polite signal to the kill; also how long open pipes are waited for after the exit. */
export const graceMs = 10_000;

export async function runScript(options: RunOptions): Promise<ScriptRun> {
  const { clock, onLine } = options;
  const start = clock.now();
  let file: WriteStream | undefined;
  try {
    file = await openLog(options.logFile);
  } catch (error) {
    onLine("stderr", `The script's log file cannot be written: ${message(error)}`);
  }
  try {
    const result = await runProcess(options, file);
    return { start, end: clock.now(), ...result };
  } catch (error) {
    onLine("stderr", `The script cannot be started: ${message(error)}`);
    return { start, end: clock.now(), exitCode: 255, status: "exit_failure" };
  } finally {
    file?.end();
  }
}

async function openLog(path: string): Promise<WriteStream> {
  await mkdir(dirname(path), { recursive: true });
  const handle = await open(path, "w", 0o600);
  const stream = createWriteStream("", { fd: handle });
  // A full disk must not end the script.
  stream.on("error", () => {});
  return stream;
}

async function runProcess(
  options: RunOptions,
  file: WriteStream | undefined,
): Promise<{ exitCode: number; status: ScriptStatus }> {
  const { clock, signal, timeoutMs, onLine } = options;
  const { spawn = spawnWithSockets } = options;
  const { child, stdout, stderr } = await spawn(options.command, { stdin: false });
  const streams = [read(stdout, "stdout", file, onLine), read(stderr, "stderr", file, onLine)];
  return new Promise((resolve, reject) => {
    const timers: Timer[] = [];
    let timedOut = false;
    const stop = (): void => {
      timedOut = true;
      signalGroup(child, "SIGHUP");
      timers.push(clock.timer(graceMs, () => signalGroup(child, "SIGKILL"), { tag: "script kill" }));
    };
    if (timeoutMs > 0) timers.push(clock.timer(timeoutMs, stop, { tag: "script timeout" }));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    const settle = (): void => {
      for (const timer of timers) timer.stop();
      signal.removeEventListener("abort", stop);
    };
    child.once("error", (error) => (settle(), reject(error)));
    child.once("exit", (code) => {
      settle();
      let leftOpen = false;
      const wait = clock.timer(
        graceMs,
        () => {
          leftOpen = true;
          if (timedOut) signalGroup(child, "SIGKILL");
          for (const stream of streams) stream.abandon();
        },
        { tag: "script pipes" },
      );
      void Promise.all(streams.map(({ ended }) => ended)).then(() => {
        wait.stop();
        if (timedOut) return resolve({ exitCode: 255, status: "timed_out" });
        if (leftOpen) {
          onLine(
            "stderr",
            `WARNING: script exited successfully, but output pipes were not closed after ${graceMs / 1000}s. ` +
              "This usually means a child process is running in the background with its output still attached; redirect it, for example to /dev/null.",
          );
          return resolve({ exitCode: code ?? -1, status: "pipes_left_open" });
        }
        resolve({ exitCode: code ?? -1, status: code === 0 ? "ok" : "exit_failure" });
      });
    });
  });
}

function read(
  stream: Readable,
  name: "stdout" | "stderr",
  file: WriteStream | undefined,
  onLine: RunOptions["onLine"],
): { ended: Promise<void>; abandon(): void } {
  const lines = new LineSplitter((line) => onLine(name, line));
  stream.on("data", (bytes: Buffer) => {
    lines.push(bytes);
    if (file && !file.write(bytes)) {
      stream.pause();
      file.once("drain", () => stream.resume());
      file.once("error", () => stream.resume());
    }
  });
  const ended = new Promise<void>((resolve) => {
    stream.once("close", () => {
      lines.end();
      resolve();
    });
  });
  return { ended, abandon: () => void stream.destroy() };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended.
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
