/**
 * Time as a parameter. Everything that waits, expires or stamps takes a `Clock`; programs pass `realClock`,
 * tests a `MockClock` (mock.ts). Lint forbids timers, `Date.now` and `new Date()` elsewhere.
 */

export interface Timer {
  /** Cancels the timer; true if it had not fired yet. */
  stop(): boolean;
  /** Starts the timer anew, `ms` from now, whether or not it had fired. */
  reset(ms: number): void;
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Name under which tests trap this wait. */
  readonly tag?: string;
  /** Do not keep the process alive for this wait alone. */
  readonly unref?: boolean;
}

export interface Clock {
  /** Wall-clock time, millisecond precision. */
  now(): Date;
  /** Milliseconds since an arbitrary start; never goes back. For durations. */
  monotonic(): number;
  /** Calls `fn` once, `ms` from now. */
  timer(ms: number, fn: () => void, options?: Omit<WaitOptions, "signal">): Timer;
  /** Resolves after `ms`; rejects with the signal's reason if it aborts first. */
  sleep(ms: number, options?: WaitOptions): Promise<void>;
  /** Yields the time every `ms`; ends without error when the signal aborts. A slow consumer skips ticks. */
  ticks(ms: number, options?: WaitOptions): AsyncIterable<Date>;
}

/** Waits up to this long in one timer; longer ones are chained (Node's limit is 2^31−1 ms). */
const maxTimerMs = 0x7fff_ffff;

type StartTimer = Clock["timer"];

/** The parts of a clock that follow from `timer`, shared by the real and the mock clock. */
export function waits(timer: StartTimer, now: () => Date): Pick<Clock, "sleep" | "ticks"> {
  function sleep(ms: number, options: WaitOptions = {}): Promise<void> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        started.stop();
        reject(signal?.reason);
      };
      const started = timer(
        ms,
        () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
        options,
      );
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
  async function* ticks(ms: number, options: WaitOptions = {}): AsyncIterable<Date> {
    while (!options.signal?.aborted) {
      try {
        await sleep(ms, options);
      } catch (error) {
        if (options.signal?.aborted) return;
        throw error;
      }
      yield now();
    }
  }
  return { sleep, ticks };
}

function realTimer(ms: number, fn: () => void, options: Omit<WaitOptions, "signal"> = {}): Timer {
  let handle: NodeJS.Timeout | undefined;
  const start = (left: number): void => {
    const step = Math.min(Math.max(left, 0), maxTimerMs);
    handle = setTimeout(() => {
      if (left > step) return start(left - step);
      handle = undefined;
      fn();
    }, step);
    if (options.unref) handle.unref();
  };
  start(ms);
  return {
    stop() {
      const waiting = handle !== undefined;
      clearTimeout(handle);
      handle = undefined;
      return waiting;
    },
    reset(again) {
      clearTimeout(handle);
      start(again);
    },
  };
}

const realNow = (): Date => new Date();

export const realClock: Clock = {
  now: realNow,
  monotonic: () => performance.now(),
  timer: realTimer,
  ...waits(realTimer, realNow),
};
