/** Delays between attempts: growing, with jitter so that a thousand agents do not return in step after a restart. */
import type { Rand } from "#cryptorand/cryptorand.ts";

export interface Backoff {
  /** Delay before the next attempt, in milliseconds. `livedMs` is how long the last connection held. */
  next(livedMs: number): number;
}

const firstMs = 100;
const maxMs = 10_000;
const growth = 1.618;
/** A connection that held so long was a success: the next failure begins anew. */
const goodMs = 5000;

export function backoff(rand: Rand): Backoff {
  let attempt = 0;
  return {
    next(livedMs) {
      if (livedMs >= goodMs) attempt = 0;
      const base = attempt === 0 ? 0 : Math.min(maxMs, firstMs * growth ** (attempt - 1));
      attempt++;
      // Half fixed, half by chance.
      return Math.round(base / 2 + (base / 2) * (rand.int(1001) / 1000));
    },
  };
}
