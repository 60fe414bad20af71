/**
 * Starts processes with real pipes, so that commands and scripts can open /dev/stdin, /dev/stdout and /dev/stderr by
 * name. Pipes are made ahead (pipes.ts); where a machine cannot make them, Node's sockets must do.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import type { Command } from "./command.ts";
import { makePipes, type PipeEnds, splitPipe } from "./pipes.ts";

export interface PipedProcess {
  readonly child: ChildProcess;
  /** Undefined when the process reads nothing. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

export interface SpawnOptions {
  /** Whether the process has an input; it reads /dev/null otherwise. */
  readonly stdin: boolean;
}

/** The process leads a session of its own. A program that cannot be started is an `error` event of the child. */
export type Spawn = (command: Command, options: SpawnOptions) => Promise<PipedProcess>;

const refillBelow = 3;

export class Spawner implements AsyncDisposable {
  readonly #ready: number[] = [];
  #refilling: Promise<void> | undefined;
  #usable = true;

  readonly spawn: Spawn = async (command, options) => {
    const pipes = await this.#take(options.stdin ? 3 : 2);
    return pipes ? spawnWithPipes(command, pipes) : spawnWithSockets(command, options);
  };

  /** Makes pipes ahead, for a process that is expected soon. */
  warm(): void {
    if (this.#usable && this.#ready.length < refillBelow) void this.#refill();
  }

  async #take(count: number): Promise<readonly number[] | undefined> {
    // Others may take what was made while we waited.
    while (this.#usable && this.#ready.length < count) await this.#refill();
    if (this.#ready.length < count) return undefined;
    const pipes = this.#ready.splice(0, count);
    if (this.#ready.length < refillBelow) void this.#refill();
    return pipes;
  }

  #refill(): Promise<void> {
    this.#refilling ??= makePipes()
      .then(
        (pipes) => void this.#ready.push(...pipes),
        () => void (this.#usable = false),
      )
      .finally(() => (this.#refilling = undefined));
    return this.#refilling;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#usable = false;
    await this.#refilling;
    for (const fd of this.#ready.splice(0)) closeSync(fd);
  }
}

export const spawnWithSockets: Spawn = async (command, options) => {
  const { file, args, env, cwd } = command;
  const child = spawn(file, args, {
    cwd,
    env,
    detached: true,
    stdio: [options.stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  const { stdin, stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error("the process has no output");
  return { child, stdin: stdin ?? undefined, stdout, stderr };
};

/** Two pipes for what it writes, a third for what it reads, if it does. */
function spawnWithPipes(command: Command, pipes: readonly number[]): PipedProcess {
  const ends: PipeEnds[] = [];
  try {
    for (const pipe of pipes) ends.push(splitPipe(pipe, ends.length === 2 ? "write" : "read"));
    const [stdout, stderr, stdin] = ends;
    if (!stdout || !stderr) throw new Error("two pipes are needed");
    const { file, args, env, cwd } = command;
    const child = spawn(file, args, {
      cwd,
      env,
      detached: true,
      stdio: [stdin?.theirs ?? "ignore", stdout.theirs, stderr.theirs],
    });
    return { child, stdin: stdin?.ours, stdout: stdout.ours, stderr: stderr.ours };
  } catch (error) {
    for (const { ours } of ends) ours.destroy();
    for (const pipe of pipes.slice(ends.length + 1)) closeSync(pipe);
    throw error;
  } finally {
    // The process has its own copies now: ours would keep the streams from ending.
    for (const { theirs } of ends) closeSync(theirs);
  }
}
