/**
 * Pub/sub on LISTEN and NOTIFY: one connection of its own listens, publishing goes through the pool. A heartbeat finds
 * connections that are dead without knowing it; after a reconnect everybody listens again and is told of the gap.
 */
import pg from "pg";
import type { Clock } from "#quartz/clock.ts";
import type { Logger } from "#slog/slog.ts";
import { clientConfig } from "../connection.ts";
import type { Database } from "../db.ts";
import { Listeners } from "./listeners.ts";
import { checkChannel, checkMessage, type Listener, type Pubsub } from "./pubsub.ts";

export interface PgPubsubOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A quiet connection is asked this often, and has as long to answer. */
const heartbeatMs = 15_000;
const firstBackoffMs = 50;
const maxBackoffMs = 5_000;

export class PgPubsub implements Pubsub, AsyncDisposable {
  readonly #options: PgPubsubOptions;
  readonly #listeners: Listeners;
  readonly #stopping = new AbortController();
  #current: Promise<pg.Client>;
  #connected: (client: pg.Client) => void = () => {};
  #running: Promise<void> = Promise.resolve();

  private constructor(options: PgPubsubOptions) {
    this.#options = options;
    this.#listeners = new Listeners(options.log);
    this.#current = this.#nextClient();
  }

  /** Throws if the first connection fails; later ones are tried again for ever. */
  static async start(options: PgPubsubOptions): Promise<PgPubsub> {
    const pubsub = new PgPubsub(options);
    const first = await pubsub.#connect();
    pubsub.#running = pubsub.#run(first);
    return pubsub;
  }

  async publish(channel: string, payload: string): Promise<void> {
    checkMessage(channel, payload);
    await this.#options.database.notify(channel, payload);
  }

  async subscribe(channel: string, listener: Listener, signal?: AbortSignal): Promise<Disposable> {
    checkChannel(channel);
    signal?.throwIfAborted();
    this.#stopping.signal.throwIfAborted();
    const own: Listener = {
      message: (payload) => listener.message(payload),
      dropped: () => listener.dropped?.(),
    };
    this.#listeners.add(channel, own);
    try {
      await this.#listen(channel, AbortSignal.any([this.#stopping.signal, ...(signal ? [signal] : [])]));
    } catch (error) {
      this.#remove(channel, own);
      throw error;
    }
    return { [Symbol.dispose]: () => this.#remove(channel, own) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error("pubsub is closed"));
    await this.#running;
  }

  #nextClient(): Promise<pg.Client> {
    return new Promise((resolve) => {
      this.#connected = resolve;
    });
  }

  async #listen(channel: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const current = this.#current;
      const client = await raced(current, signal);
      try {
        await raced(client.query(`LISTEN ${pg.escapeIdentifier(channel)}`), signal);
        return;
      } catch (error) {
        if (signal.aborted || current === this.#current) throw error;
        // The connection broke meanwhile: the next one listens to all channels anyway.
      }
    }
  }

  #remove(channel: string, listener: Listener): void {
    if (!this.#listeners.delete(channel, listener) || this.#stopping.signal.aborted) return;
    void this.#current
      .then(async (client) => {
        // Somebody may have come back meanwhile; his LISTEN went out after this check or before it.
        if (!this.#listeners.has(channel)) await client.query(`UNLISTEN ${pg.escapeIdentifier(channel)}`);
      })
      .catch(() => {});
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ ...clientConfig(this.#options.database.connection), keepAlive: true });
    // Without a listener a broken connection would end the process; `#watch` sees its end.
    client.on("error", (error) =>
      this.#options.log.warn("the pubsub connection broke", { error: error.message }),
    );
    client.on("notification", ({ channel, payload }) => this.#listeners.deliver(channel, payload ?? ""));
    await client.connect();
    const channels = this.#listeners.channels().map((channel) => `LISTEN ${pg.escapeIdentifier(channel)}`);
    if (channels.length > 0) await client.query(channels.join(";"));
    return client;
  }

  async #run(first: pg.Client): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    let client: pg.Client | undefined = first;
    for (let backoff = firstBackoffMs; !signal.aborted;) {
      if (client) {
        backoff = firstBackoffMs;
        this.#connected(client);
        await this.#watch(client);
        this.#current = this.#nextClient();
        await client.end().catch(() => {});
        client = undefined;
        continue;
      }
      try {
        client = await this.#connect();
        log.info("the pubsub connection is back");
        this.#listeners.drop();
      } catch (error) {
        log.warn("the pubsub connection does not come back", { error: String(error) });
        await clock.sleep(backoff, { signal, tag: "pubsub-reconnect" }).catch(() => {});
        backoff = Math.min(backoff * 2, maxBackoffMs);
      }
    }
    await client?.end().catch(() => {});
  }

  /** Returns when the connection is dead or we are stopping. */
  async #watch(client: pg.Client): Promise<void> {
    const over = new AbortController();
    const end = (): void => over.abort();
    client.once("end", end);
    const signal = AbortSignal.any([this.#stopping.signal, over.signal]);
    const { clock } = this.#options;
    for await (const _ of clock.ticks(heartbeatMs, { signal, tag: "pubsub-heartbeat", unref: true })) {
      const late = new AbortController();
      const timer = clock.timer(heartbeatMs, () => late.abort(new Error("no answer")), { unref: true });
      try {
        await raced(client.query("SELECT 1"), AbortSignal.any([signal, late.signal]));
      } catch {
        // `end()` of a client that hangs would wait for ever.
        if (late.signal.aborted) destroy(client);
        break;
      } finally {
        timer.stop();
      }
    }
    client.removeListener("end", end);
  }
}

/** Closes the socket without a word. */
function destroy(client: pg.Client): void {
  const inner: unknown = "connection" in client ? client.connection : undefined;
  if (typeof inner !== "object" || inner === null || !("stream" in inner)) return;
  const { stream } = inner;
  if (
    typeof stream === "object" &&
    stream !== null &&
    "destroy" in stream &&
    typeof stream.destroy === "function"
  ) {
    stream.destroy();
  }
}

function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
