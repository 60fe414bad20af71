/** Pub/sub inside one process, without a database. Behaves as PgPubsub does (one test-suite for both). */
import { discardLogger, type Logger } from "#slog/slog.ts";
import { Listeners } from "./listeners.ts";
import { checkChannel, checkMessage, type Listener, type Pubsub } from "./pubsub.ts";

export class MemoryPubsub implements Pubsub {
  readonly #listeners: Listeners;

  constructor(log: Logger = discardLogger) {
    this.#listeners = new Listeners(log);
  }

  /** Delivery is never inside the caller's own stack, as it is not with a database. */
  async publish(channel: string, payload: string): Promise<void> {
    checkMessage(channel, payload);
    queueMicrotask(() => this.#listeners.deliver(channel, payload));
  }

  async subscribe(channel: string, listener: Listener, signal?: AbortSignal): Promise<Disposable> {
    checkChannel(channel);
    signal?.throwIfAborted();
    // The same listener object may subscribe twice.
    const own: Listener = {
      message: (payload) => listener.message(payload),
      dropped: () => listener.dropped?.(),
    };
    this.#listeners.add(channel, own);
    return { [Symbol.dispose]: () => void this.#listeners.delete(channel, own) };
  }

  /** For tests of what receivers do about lost messages. */
  drop(): void {
    this.#listeners.drop();
  }
}
