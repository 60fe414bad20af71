/**
 * Pseudo terminals (Linux). The agent runs shells in them, tests drive interactive commands with them.
 *
 * A `Pty` is a byte stream: reading gives what the terminal shows, writing types. Promises:
 * - everything that the process wrote before it exited arrives, however slow the reader is (no byte is dropped, and
 *   the kernel's buffer stops the writer while we do not read);
 * - `exited` resolves at once when the process ends; the stream ends after the last byte;
 * - a background process that keeps the terminal open does not keep the stream open for ever.
 */
import { constants } from "node:os";
import { Duplex } from "node:stream";
import { ReadStream } from "node:tty";
import type { Clock, Timer } from "#quartz/clock.ts";
import { loadBinding, type PtyBinding } from "./binding.ts";

export interface PtySize {
  readonly cols: number;
  readonly rows: number;
}

export interface PtyOptions extends Partial<PtySize> {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Must exist. */
  readonly cwd: string;
  readonly clock: Clock;
}

export interface PtyExit {
  /** Exit code; 0 when a signal ended the process. */
  readonly code: number;
  /** Number of the signal that ended the process; 0 for none. */
  readonly signal: number;
}

/** A size outside of 1…65535 is no size. */
const maxCells = 0xffff;
/** After the exit, so long without a byte while we read means that nothing more comes. */
const quietMs = 100;

export class Pty extends Duplex {
  readonly pid: number;
  /** Path of the terminal's device. */
  readonly tty: string;
  readonly exited: Promise<PtyExit>;
  readonly #binding: PtyBinding;
  readonly #fd: number;
  readonly #socket: ReadStream;
  readonly #clock: Clock;
  #quiet: Timer | undefined;
  #over = false;
  #closed = false;

  static start(options: PtyOptions): Pty {
    return new Pty(options, loadBinding());
  }

  private constructor(options: PtyOptions, binding: PtyBinding) {
    super({ allowHalfOpen: true });
    this.#binding = binding;
    this.#clock = options.clock;
    const exit = Promise.withResolvers<PtyExit>();
    this.exited = exit.promise;
    const env = Object.entries(options.env)
      .filter(([name]) => name !== "")
      .map(([name, value]) => `${name}=${value}`);
    const child = binding.fork(
      options.command,
      options.args,
      env,
      options.cwd,
      cells(options.cols, 80),
      cells(options.rows, 24),
      -1,
      -1,
      true,
      "",
      (code, signal) => {
        this.#over = true;
        exit.resolve({ code, signal });
        this.#expectQuiet();
      },
    );
    this.pid = child.pid;
    this.tty = child.pty;
    this.#fd = child.fd;
    this.#socket = new ReadStream(child.fd);
    this.#socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on("end", () => this.#end());
    // EIO is how a terminal says that nobody holds its other side any more.
    this.#socket.on("error", () => this.#end());
    this.#socket.on("close", () => {
      this.#closed = true;
      this.#end();
    });
  }

  /** Zero or absurd sizes are ignored, as is a terminal that is gone. */
  resize(size: PtySize): void {
    if (this.#closed || !isCells(size.cols) || !isCells(size.rows)) return;
    try {
      this.#binding.resize(this.#fd, size.cols, size.rows);
    } catch {
      // The process ended a moment ago.
    }
  }

  /** Signals the process alone, or with `group` everything in its process group. */
  kill(signal: NodeJS.Signals, options: { readonly group?: boolean } = {}): void {
    if (this.#over) return;
    try {
      process.kill(options.group ? -this.pid : this.pid, signal);
    } catch {
      // It ended a moment ago.
    }
  }

  #onData(chunk: Buffer): void {
    this.#quiet?.reset(quietMs);
    if (!this.push(chunk)) {
      this.#quiet?.stop();
      this.#quiet = undefined;
      this.#socket.pause();
    }
  }

  #end(): void {
    this.#quiet?.stop();
    if (!this.readableEnded && !this.destroyed) this.push(null);
    this.#socket.destroy();
  }

  /** Only while we read: silence because nobody takes what we have says nothing. */
  #expectQuiet(): void {
    if (!this.#over || this.#quiet || this.#socket.isPaused() || this.destroyed) return;
    this.#quiet = this.#clock.timer(quietMs, () => this.#end(), { tag: "pty quiet" });
  }

  override _read(): void {
    this.#socket.resume();
    this.#expectQuiet();
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#closed || this.#over) return done();
    // Typing into a terminal whose process just ended is not an error worth a crash.
    this.#socket.write(data, () => done());
  }

  override _final(done: () => void): void {
    done();
  }

  /** Hangs the terminal up: what still runs in it gets SIGHUP from the kernel and from us. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#quiet?.stop();
    this.#socket.destroy();
    this.kill("SIGHUP", { group: true });
    done(error);
  }
}

function isCells(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= maxCells;
}

function cells(value: number | undefined, fallback: number): number {
  return value !== undefined && isCells(value) ? value : fallback;
}

/** Name of a signal number, or undefined. */
export function signalName(number: number): NodeJS.Signals | undefined {
  for (const [name, value] of Object.entries(constants.signals)) {
    if (value === number && isSignal(name)) return name;
  }
  return undefined;
}

/** Whether a text names a signal of this machine. */
export function isSignal(name: string): name is NodeJS.Signals {
  return name in constants.signals;
}
