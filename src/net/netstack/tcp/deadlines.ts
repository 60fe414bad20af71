/** A connection's deadlines on the monotonic clock, served by one timer armed for the soonest; segments only move them. */
import type { Clock, Timer } from "#quartz/clock.ts";

/** Timers of an operating system may fire this much early. */
const toleranceMs = 0.5;

export class Deadlines {
  /** Retransmission, or a probe of a closed window. */
  rto: number | undefined;
  ack: number | undefined;
  /** Segments that will count as lost by then. */
  loss: number | undefined;
  idle: number | undefined;
  /** End of TIME-WAIT, or of lingering. */
  gone: number | undefined;
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #timer: Timer | undefined;
  #armedFor = Infinity;
  #stopped = false;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  isDue(at: number | undefined): boolean {
    return at !== undefined && at <= this.#clock.monotonic() + toleranceMs;
  }

  arm(): void {
    let at = Infinity;
    for (const deadline of [this.rto, this.ack, this.loss, this.idle, this.gone]) {
      if (deadline !== undefined && deadline < at) at = deadline;
    }
    if (at >= this.#armedFor || this.#stopped) return;
    this.#armedFor = at;
    const ms = Math.max(0, at - this.#clock.monotonic());
    if (this.#timer) this.#timer.reset(ms);
    else this.#timer = this.#clock.timer(ms, () => this.#fire(), { tag: "tcp", unref: true });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.stop();
  }

  #fire(): void {
    this.#armedFor = Infinity;
    this.#onDue();
    this.arm();
  }
}
