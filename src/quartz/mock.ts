/**
 * A clock that stands still until a test moves it. Time goes only to the next event at a time (`advance` walks
 * through the events on its way), so nothing is skipped, and a trap holds a timer's start until the test has seen it.
 */
import { type Clock, type Timer, type WaitOptions, waits } from "./clock.ts";

interface Event {
  at: number;
  readonly fn: () => void;
  readonly order: number;
}

export interface Trap {
  /** Resolves when a wait with the trap's tag has been started. Gives its length in milliseconds. */
  wait(): Promise<number>;
}

export class MockClock implements Clock {
  #ms: number;
  #order = 0;
  readonly #start: number;
  readonly #events = new Set<Event>();
  readonly #traps = new Map<string, { seen: number[]; waiting: ((ms: number) => void)[] }>();
  readonly sleep: Clock["sleep"];
  readonly ticks: Clock["ticks"];

  constructor(start = "2026-01-02T03:04:05Z") {
    this.#ms = Date.parse(start);
    this.#start = this.#ms;
    const shared = waits(this.timer.bind(this), () => this.now());
    this.sleep = shared.sleep;
    this.ticks = shared.ticks;
  }

  now(): Date {
    return new Date(this.#ms);
  }

  monotonic(): number {
    return this.#ms - this.#start;
  }

  timer(ms: number, fn: () => void, options: Omit<WaitOptions, "signal"> = {}): Timer {
    const event: Event = { at: this.#ms + Math.max(ms, 0), fn, order: this.#order++ };
    this.#events.add(event);
    this.#trip(options.tag, ms);
    return {
      stop: () => this.#events.delete(event),
      reset: (again) => {
        event.at = this.#ms + Math.max(again, 0);
        this.#events.add(event);
        this.#trip(options.tag, again);
      },
    };
  }

  /** Milliseconds to the next event; undefined if nothing waits. */
  peek(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : next.at - this.#ms;
  }

  /** Moves to the next event, runs it and lets what it woke run. Throws if nothing waits. */
  async advanceToNext(): Promise<void> {
    const next = this.#next();
    if (next === undefined) throw new Error("no timer is waiting on this clock");
    this.#fire(next);
    await settle();
  }

  /** Moves `ms` on, running every event on the way in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#ms + ms;
    for (let next = this.#next(); next !== undefined && next.at <= end; next = this.#next()) {
      this.#fire(next);
      await settle();
    }
    this.#ms = end;
    await settle();
  }

  /** Waits for the start of a timer, sleep or tick with this tag; earlier starts count once each. */
  trap(tag: string): Trap {
    const entry = this.#traps.get(tag) ?? { seen: [], waiting: [] };
    this.#traps.set(tag, entry);
    return {
      wait: () =>
        new Promise((resolve) => {
          const ms = entry.seen.shift();
          if (ms === undefined) entry.waiting.push(resolve);
          else resolve(ms);
        }),
    };
  }

  #trip(tag: string | undefined, ms: number): void {
    const entry = tag === undefined ? undefined : this.#traps.get(tag);
    if (entry === undefined) return;
    const waiting = entry.waiting.shift();
    if (waiting) waiting(ms);
    else entry.seen.push(ms);
  }

  #next(): Event | undefined {
    let best: Event | undefined;
    for (const event of this.#events) {
      if (!best || event.at < best.at || (event.at === best.at && event.order < best.order)) best = event;
    }
    return best;
  }

  #fire(event: Event): void {
    this.#events.delete(event);
    this.#ms = Math.max(this.#ms, event.at);
    event.fn();
  }
}

/** Lets promise chains that an event woke run, I/O callbacks included. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
