/**
 * Metadata of a workspace: small commands run again and again, newest value of each key reported (spec agent §10).
 * One collection of a key at a time; a failed report is made again in the next connection.
 */
import { execFile } from "node:child_process";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { WorkspaceAgentMetadata_Description } from "#rpc/gen/agent_pb.js";
import type { AgentConnection } from "#codersdk/agentsdk/dial.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Command, CommandRequest } from "./command/command.ts";
import { metadataSeconds } from "./wire.ts";
import { Wakeup } from "./wakeup.ts";

export interface MetadataOptions {
  readonly clock: Clock;
  readonly command: (request: CommandRequest) => Command;
}

interface Collected {
  readonly at: Date;
  readonly value: string;
  readonly error: string;
}

const maxValue = 10 * 1024;
/** Of a key that has neither a time limit nor an interval. */
const defaultTimeoutMs = 3000;

export class MetadataCollector {
  readonly #options: MetadataOptions;
  readonly #started = new Map<string, number>();
  readonly #running = new Set<string>();
  readonly #fresh = new Map<string, Collected>();
  readonly #wakeup = new Wakeup();

  constructor(options: MetadataOptions) {
    this.#options = options;
  }

  /** Collects and reports until the signal aborts; throws when a report fails. */
  async run(
    descriptions: readonly WorkspaceAgentMetadata_Description[],
    api: AgentConnection["agent"],
    signal: AbortSignal,
  ): Promise<void> {
    if (descriptions.length === 0) return;
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    try {
      await Promise.all([this.#collectAll(descriptions, both), this.#report(api, both)]);
    } finally {
      stop.abort();
    }
  }

  async #collectAll(
    descriptions: readonly WorkspaceAgentMetadata_Description[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#options;
    this.#startDue(descriptions, signal);
    for await (const _ of clock.ticks(1000, { signal, tag: "metadata" })) {
      this.#startDue(descriptions, signal);
    }
  }

  #startDue(descriptions: readonly WorkspaceAgentMetadata_Description[], signal: AbortSignal): void {
    const now = this.#options.clock.monotonic();
    for (const description of descriptions) {
      const { key } = description;
      const last = this.#started.get(key);
      if (this.#running.has(key) || !isDue(last, metadataSeconds(description.interval), now)) continue;
      this.#started.set(key, now);
      this.#running.add(key);
      void this.#collect(description, signal).then((collected) => {
        this.#running.delete(key);
        if (!collected) return;
        this.#fresh.set(key, collected);
        this.#wakeup.wake();
      });
    }
  }

  async #collect(
    description: WorkspaceAgentMetadata_Description,
    signal: AbortSignal,
  ): Promise<Collected | undefined> {
    const { clock, command } = this.#options;
    const at = clock.now();
    const seconds = metadataSeconds(description.timeout) || metadataSeconds(description.interval);
    try {
      const { file, args, env, cwd } = command({ text: description.script });
      const limit = AbortSignal.any([signal, timeoutSignal(clock, seconds * 1000 || defaultTimeoutMs)]);
      return { at, ...(await output(file, args, { env, cwd, signal: limit })) };
    } catch (error) {
      if (signal.aborted) return undefined;
      return {
        at,
        value: "",
        error: `create cmd: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }

  async #report(api: AgentConnection["agent"], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const batch = [...this.#fresh];
      if (batch.length === 0) {
        await this.#wakeup.wait(signal);
        continue;
      }
      const metadata = batch.map(([key, { at, value, error }]) => ({
        key,
        result: { collectedAt: timestampFromDate(at), age: 0n, value, error },
      }));
      await api.batchUpdateMetadata({ metadata }, { signal });
      for (const [key, collected] of batch) if (this.#fresh.get(key) === collected) this.#fresh.delete(key);
    }
  }
}

/** Interval 0: once in the life of the process. */
export function isDue(last: number | undefined, intervalSeconds: number, now: number): boolean {
  if (last === undefined) return true;
  return intervalSeconds > 0 && now >= last + intervalSeconds * 1000;
}

function timeoutSignal(clock: Clock, ms: number): AbortSignal {
  const controller = new AbortController();
  clock.timer(ms, () => controller.abort(), { tag: "metadata timeout", unref: true });
  return controller.signal;
}

function output(
  file: string,
  args: readonly string[],
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    readonly signal: AbortSignal;
  },
): Promise<{ value: string; error: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { ...options, encoding: "utf8", maxBuffer: maxValue, killSignal: "SIGKILL" },
      (error, stdout, stderr) => {
        const value = (stdout + stderr).slice(0, maxValue).trim();
        resolve({ value, error: error ? errorText(error, options.signal, value.length) : "" });
      },
    );
    child.stdin?.end();
  });
}

function errorText(
  error: Error & { code?: string | number | null },
  signal: AbortSignal,
  size: number,
): string {
  if (signal.aborted) return "run cmd: context deadline exceeded";
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return `output truncated to ${size} bytes`;
  if (typeof error.code === "number") return `run cmd: exit status ${error.code}`;
  return `run cmd: ${error.message}`;
}
