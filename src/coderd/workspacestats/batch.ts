/**
 * Rows on their way to the database, gathered for a moment and written together. What a failed write holds is written
 * with the next one; bounded: beyond `maxEntries` the newest are dropped, and that is logged.
 */
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";

export interface BatchOptions<T> {
  readonly name: string;
  readonly flushMs: number;
  /** A flush begins at 80 % of it. */
  readonly maxEntries: number;
  readonly write: (entries: readonly T[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Batch<T> implements AsyncDisposable {
  readonly #options: BatchOptions<T>;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #entries: T[] = [];
  #dropped = 0;
  #flushing: Promise<void> = Promise.resolve();

  static start<T>(options: BatchOptions<T>): Batch<T> {
    return new Batch(options);
  }

  private constructor(options: BatchOptions<T>) {
    this.#options = options;
    this.#loop = this.#run();
  }

  add(entry: T): void {
    const { maxEntries } = this.#options;
    if (this.#entries.length >= maxEntries) {
      this.#dropped++;
      return;
    }
    this.#entries.push(entry);
    if (this.#entries.length === Math.ceil(maxEntries * 0.8)) void this.flush();
  }

  /** Writes what waits; one write at a time. Never rejects. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async #run(): Promise<void> {
    const { clock, flushMs, name } = this.#options;
    for await (const _ of clock.ticks(flushMs, { signal: this.#stop.signal, tag: name, unref: true })) {
      await this.flush();
    }
  }

  async #write(): Promise<void> {
    const { log, name, write } = this.#options;
    const entries = this.#entries;
    if (this.#dropped > 0) {
      log.warn("dropped entries: too many wait", { name, dropped: this.#dropped });
      this.#dropped = 0;
    }
    if (entries.length === 0) return;
    this.#entries = [];
    try {
      await write(entries);
    } catch (error) {
      log.warn("a batch could not be written; it is tried again", { name, entries: entries.length, error });
      this.#entries = [...entries, ...this.#entries].slice(0, this.#options.maxEntries);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.flush();
  }
}
