/** Pings of a yamux session that wait for their answer. */
import type { Clock, Timer } from "#quartz/clock.ts";
import { YamuxError } from "./frame.ts";

const timeoutMs = 10_000;

interface Waiting {
  readonly started: number;
  readonly timer: Timer;
  readonly resolve: (ms: number) => void;
  readonly reject: (error: Error) => void;
}

export class Pings {
  readonly #clock: Clock;
  readonly #onTimeout: (error: YamuxError) => void;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(clock: Clock, onTimeout: (error: YamuxError) => void) {
    this.#clock = clock;
    this.#onTimeout = onTimeout;
  }

  /** A new ping: `send` puts it on the wire; resolves with the round trip in milliseconds. */
  start(send: (value: number) => void): Promise<number> {
    const value = this.#next;
    this.#next = (this.#next + 1) % 2 ** 32;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.timer(
        timeoutMs,
        () => this.#onTimeout(new YamuxError("timeout", "a ping was not answered in time")),
        { tag: "yamux-ping", unref: true },
      );
      this.#waiting.set(value, { started: this.#clock.monotonic(), timer, resolve, reject });
      send(value);
    });
  }

  answered(value: number): void {
    const ping = this.#take(value);
    ping?.resolve(this.#clock.monotonic() - ping.started);
  }

  failAll(error: Error): void {
    for (const value of this.#waiting.keys()) this.#take(value)?.reject(error);
  }

  #take(value: number): Waiting | undefined {
    const ping = this.#waiting.get(value);
    ping?.timer.stop();
    this.#waiting.delete(value);
    return ping;
  }
}
