/** Runs command lines in-process, on pipes: what they print and how they end. Test only. */
import { PassThrough } from "node:stream";
import { cryptoRand } from "#cryptorand/cryptorand.ts";
import type { Command } from "#serpent/command.ts";
import { type Clock, realClock } from "#quartz/clock.ts";
import { main } from "../main.ts";
import { root } from "../root.ts";

export interface CliOptions {
  /** Nothing of the process's own environment is seen. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text on standard input, which then ends. */
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly cwd?: string;
  /** Default: the whole program. */
  readonly program?: Command;
  /** What the command line takes for its own path. */
  readonly self?: string;
}

export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRun {
  readonly stdin: PassThrough;
  /** Standard output as bytes, for a program that talks through it. */
  readonly out: PassThrough;
  /** What was printed so far. */
  stdout(): string;
  stderr(): string;
  readonly result: Promise<CliResult>;
}

/** Starts a command line; for commands that are watched while they run. */
export function startCli(argv: readonly string[], options: CliOptions = {}): CliRun {
  const stdin = new PassThrough();
  if (options.stdin !== undefined) stdin.end(options.stdin);
  const out = capture();
  const err = capture();
  const world = {
    env: { HOME: "/nonexistent", TZ: "UTC", ...options.env },
    stdin,
    stdout: out.stream,
    stderr: err.stream,
    signal: options.signal ?? new AbortController().signal,
    clock: options.clock ?? realClock,
    rand: cryptoRand,
    cwd: options.cwd ?? "/",
    program: options.self ?? "/usr/bin/coder",
  };
  const result = main(argv, world, options.program ?? root).then((status) => ({
    status,
    stdout: out.text(),
    stderr: err.text(),
  }));
  return { stdin, out: out.stream, stdout: out.text, stderr: err.text, result };
}

/** Runs a command line to its end. Standard input is empty unless given. */
export function runCli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(argv, { stdin: "", ...options }).result;
}

function capture(): { stream: PassThrough; text: () => string } {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}

/** Standard error without the lines that only say what is waited for: on a busy machine anything may take long. */
export const withoutWaits = (stderr: string): string => stderr.replaceAll(/^.*…\n/gmu, "");
