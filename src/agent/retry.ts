/** Delays between attempts: none at first, then as for everybody who comes back to a server. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import { comebackDelay } from "#util/comeback.ts";

export interface Backoff {
  /** Delay before the next attempt, in milliseconds. `livedMs` is how long the last connection held. */
  next(livedMs: number): number;
}

const limits = { firstMs: 100, maxMs: 10_000 };
/** A connection that held so long was a success: the next failure begins anew. */
const goodMs = 5000;

export function backoff(rand: Rand): Backoff {
  let attempt = 0;
  return {
    next(livedMs) {
      if (livedMs >= goodMs) attempt = 0;
      const delay = attempt === 0 ? 0 : comebackDelay(attempt - 1, rand, limits);
      attempt++;
      return delay;
    },
  };
}
