/** Who listens to what, for both implementations. */
import type { Logger } from "#slog/slog.ts";
import type { Listener } from "./pubsub.ts";

export class Listeners {
  readonly #byChannel = new Map<string, Set<Listener>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  channels(): string[] {
    return [...this.#byChannel.keys()];
  }

  has(channel: string): boolean {
    return this.#byChannel.has(channel);
  }

  add(channel: string, listener: Listener): void {
    const set = this.#byChannel.get(channel) ?? new Set();
    set.add(listener);
    this.#byChannel.set(channel, set);
  }

  /** True if it was the channel's last. */
  delete(channel: string, listener: Listener): boolean {
    const set = this.#byChannel.get(channel);
    if (!set?.delete(listener) || set.size > 0) return false;
    this.#byChannel.delete(channel);
    return true;
  }

  deliver(channel: string, payload: string): void {
    for (const listener of this.#byChannel.get(channel) ?? []) {
      this.#guard(channel, () => listener.message(payload));
    }
  }

  /** Tells everybody that messages may be missing. */
  drop(): void {
    for (const [channel, set] of this.#byChannel) {
      for (const listener of set) this.#guard(channel, () => listener.dropped?.());
    }
  }

  #guard(channel: string, fn: () => void): void {
    try {
      fn();
    } catch (error) {
      this.#log.error("a listener failed", { channel, error });
    }
  }
}
