/** How long a workspace may run before it stops by itself. Pure. */
const minuteMs = 60_000;
const maxMs = 30 * 24 * 60 * minuteMs;

/** Why this time to live is refused; undefined: it is fine. */
export function ttlProblem(ttlMs: number): string | undefined {
  if (Math.floor(ttlMs / minuteMs) < 1) return "time until shutdown must be at least one minute";
  if (ttlMs > maxMs) return "time until shutdown must be less than 30 days";
  return undefined;
}
