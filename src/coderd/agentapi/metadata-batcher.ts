/**
 * Values of metadata on their way to the database, of all agents together: the newest of each key, written every 5 s or
 * at 500 entries. Bounded: when the database is away, newer values replace older ones and further keys are dropped.
 */
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import type { Ctx } from "../ctx.ts";
import type { AuthzStore } from "../database/dbauthz/dbauthz.ts";
import type { Pubsub } from "../database/pubsub/pubsub.ts";
import { encodeAgents, metadataChannel } from "./channels.ts";

export interface MetadataValue {
  readonly agentId: string;
  readonly key: string;
  readonly value: string;
  readonly error: string;
  readonly collectedAt: Date;
}

const flushMs = 5000;
const flushSize = 500;
const maxEntries = 10_000;
/** Agents in one message: 22 characters each, below what NOTIFY carries. */
const agentsPerMessage = 360;

export interface MetadataBatcherOptions {
  readonly store: AuthzStore;
  readonly pubsub: Pubsub;
  /** Acts as the agent API. */
  readonly ctx: Ctx;
  readonly clock: Clock;
  readonly log: Logger;
}

export class MetadataBatcher implements AsyncDisposable {
  readonly #options: MetadataBatcherOptions;
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  #entries = new Map<string, MetadataValue>();
  #flushing: Promise<void> = Promise.resolve();

  static start(options: MetadataBatcherOptions): MetadataBatcher {
    return new MetadataBatcher(options);
  }

  private constructor(options: MetadataBatcherOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  add(values: readonly MetadataValue[]): void {
    for (const value of values) {
      const key = `${value.agentId} ${value.key}`;
      if (!this.#entries.has(key) && this.#entries.size >= maxEntries) {
        this.#options.log.warn("dropped a metadata value: too many wait", { agentId: value.agentId });
        continue;
      }
      this.#entries.set(key, value);
    }
    if (this.#entries.size >= flushSize) void this.flush();
  }

  /** Writes what waits; one write at a time. Never rejects. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for await (const _ of this.#options.clock.ticks(flushMs, {
      signal,
      tag: "metadata flush",
      unref: true,
    })) {
      await this.flush();
    }
  }

  async #write(): Promise<void> {
    const values = [...this.#entries.values()];
    if (values.length === 0) return;
    this.#entries = new Map();
    const { store, ctx, pubsub, log } = this.#options;
    try {
      await store.updateAgentMetadata(ctx, {
        agentIds: values.map(({ agentId }) => agentId),
        keys: values.map(({ key }) => key),
        values: values.map(({ value }) => value),
        errors: values.map(({ error }) => error),
        collectedAts: values.map(({ collectedAt }) => collectedAt),
      });
      const agents = [...new Set(values.map(({ agentId }) => agentId))];
      for (let at = 0; at < agents.length; at += agentsPerMessage) {
        await pubsub.publish(metadataChannel, encodeAgents(agents.slice(at, at + agentsPerMessage)));
      }
    } catch (error) {
      // The next collection brings newer values.
      log.warn("metadata could not be written", { error, values: values.length });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    await this.flush();
  }
}
