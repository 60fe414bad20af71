/**
 * How long to wait before the next attempt to reach a server again. Doubling, but no more than a second while the outage
 * is young: a server that restarts is there again within seconds, and who waits longer than it took is the outage. A
 * server that stays away for minutes is asked less often. Half of each delay is chance, so that those who lost it at
 * the same moment do not return in step.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";

/** About a minute and a half of attempts that fail at once. */
const youngAttempts = 120;
const youngMaxMs = 1_000;

/** `attempt` counts from 0 since the last success. */
export function comebackDelay(
  attempt: number,
  rand: Rand,
  limits: { readonly firstMs: number; readonly maxMs: number },
): number {
  const cap = attempt < youngAttempts ? Math.min(youngMaxMs, limits.maxMs) : limits.maxMs;
  const base = Math.min(limits.firstMs * 2 ** Math.min(attempt, 30), cap);
  return Math.round(base / 2 + (base / 2) * (rand.int(1001) / 1000));
}
