/**
 * Requests per minute, in a window that slides: the minute before counts by the part of it that is still inside. One
 * budget per caller and route, so that ids in paths do not multiply it. Per process.
 */
import type { Clock } from "#quartz/clock.ts";

const windowMs = 60_000;
/** Callers counted per minute; beyond, newcomers share one budget, so that memory stays bounded. */
const maxKeys = 200_000;

export interface RateDecision {
  readonly limited: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

export class RateLimiter {
  readonly #clock: Clock;
  #minute = 0;
  #current = new Map<string, number>();
  #before = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one request of `key` unless it is over `limit`. */
  take(key: string, limit: number): RateDecision {
    const now = this.#clock.now().getTime();
    this.#turn(Math.floor(now / windowMs));
    const bucket = this.#current.has(key) || this.#current.size < maxKeys ? key : "";
    const elapsed = (now % windowMs) / windowMs;
    const counted = this.#current.get(bucket) ?? 0;
    const used = Math.floor((this.#before.get(bucket) ?? 0) * (1 - elapsed)) + counted;
    const limited = used >= limit;
    if (!limited) this.#current.set(bucket, counted + 1);
    return {
      limited,
      headers: {
        "x-ratelimit-limit": String(limit),
        "x-ratelimit-remaining": String(Math.max(0, limit - used - 1)),
        "x-ratelimit-reset": String((this.#minute + 1) * (windowMs / 1000)),
        ...(limited ? { "retry-after": String(windowMs / 1000) } : {}),
      },
    };
  }

  #turn(minute: number): void {
    if (minute === this.#minute) return;
    this.#before = minute === this.#minute + 1 ? this.#current : new Map();
    this.#current = new Map();
    this.#minute = minute;
  }
}
