/**
 * Script output on its way to the server (spec agent §9): a queue for each log source, one call at a time, so that a
 * line for an idle connection goes out at once and lines that arrive meanwhile travel together.
 *
 * Bounded: more than 1 MiB waiting is not taken (the server would refuse it anyway), and once the server says that the
 * agent's log is full nothing is sent for the rest of the process's life. Lines whose call failed are sent again.
 */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Log_Level } from "#rpc/gen/agent_pb.js";
import type { AgentConnection } from "#codersdk/agentsdk/dial.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { Wakeup } from "./wakeup.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

const levels = {
  debug: Log_Level.DEBUG,
  info: Log_Level.INFO,
  warn: Log_Level.WARN,
  error: Log_Level.ERROR,
} satisfies Readonly<Record<LogLevel, Log_Level>>;

interface Line {
  readonly output: string;
  readonly level: LogLevel;
  readonly at: Date;
  readonly bytes: number;
}

interface Queue {
  readonly source: Uint8Array;
  lines: Line[];
  /** Order of the last send: the source that waited longest goes first. */
  sentAt: number;
}

/** What the server stores of one agent, and what one call may carry. */
export const maxBytes = 1024 * 1024;
/** What a line costs beside its text. */
const lineOverhead = 21;

export class LogSender {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #queues = new Map<string, Queue>();
  readonly #wakeup = new Wakeup();
  #bytes = 0;
  #sends = 0;
  #full = false;

  constructor(options: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Takes a line without its newline. `source` is the 16 bytes of the log source's id. */
  enqueue(source: Uint8Array, level: LogLevel, text: string): void {
    if (this.#full || this.#bytes > maxBytes) return;
    const output = text.replaceAll(/[\0\uFFFD]/gu, "\u274C");
    const bytes = Buffer.byteLength(output) + lineOverhead;
    if (bytes > maxBytes) {
      this.#log.warn("dropped a log line that is too long", { bytes });
      return;
    }
    const key = Buffer.from(source).toString("hex");
    let queue = this.#queues.get(key);
    if (!queue) this.#queues.set(key, (queue = { source, lines: [], sentAt: 0 }));
    queue.lines.push({ output, level, at: this.#clock.now(), bytes });
    this.#bytes += bytes;
    this.#wakeup.wake();
  }

  /** Sends until the signal aborts or the log is full; throws when a call fails, to go on in the next connection. */
  async send(api: AgentConnection["agent"], signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#full) {
      const queue = this.#next();
      if (!queue) {
        await this.#wakeup.wait(signal);
        continue;
      }
      await this.#sendBatch(queue, api, signal);
      this.#wakeup.wake();
    }
  }

  /** Resolves when nothing waits, or the signal aborts. */
  async drained(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#queues.size > 0) await this.#wakeup.wait(signal);
  }

  #next(): Queue | undefined {
    let oldest: Queue | undefined;
    for (const queue of this.#queues.values()) {
      if (queue.lines.length > 0 && (!oldest || queue.sentAt < oldest.sentAt)) oldest = queue;
    }
    return oldest;
  }

  async #sendBatch(queue: Queue, api: AgentConnection["agent"], signal: AbortSignal): Promise<void> {
    let bytes = 0;
    let count = 0;
    for (const line of queue.lines) {
      if (bytes + line.bytes > maxBytes) break;
      bytes += line.bytes;
      count++;
    }
    const logs = queue.lines.slice(0, count).map(({ output, level, at }) => ({
      output,
      level: levels[level],
      createdAt: timestampFromDate(at),
    }));
    const { logLimitExceeded } = await api.batchCreateLogs({ logSourceId: queue.source, logs }, { signal });
    if (logLimitExceeded) {
      this.#log.warn("the server's log of this agent is full; no more is sent");
      this.#full = true;
      this.#queues.clear();
      this.#bytes = 0;
      return;
    }
    queue.lines = queue.lines.slice(count);
    queue.sentAt = ++this.#sends;
    this.#bytes -= bytes;
    if (queue.lines.length === 0) this.#queues.delete(Buffer.from(queue.source).toString("hex"));
  }
}
