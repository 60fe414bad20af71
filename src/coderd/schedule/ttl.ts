/** How long a workspace may run before it stops by itself, and how far that may be put off. Pure. */
const minuteMs = 60_000;
const maxMs = 30 * 24 * 60 * minuteMs;

/** Why this time to live is refused; undefined: it is fine. */
export function ttlProblem(ttlMs: number): string | undefined {
  const whole = wholeMinutes(ttlMs);
  if (whole < minuteMs) return "time until shutdown must be at least one minute";
  if (whole > maxMs) return "time until shutdown must be less than 30 days";
  return undefined;
}

/** As it is kept. */
export const wholeMinutes = (ttlMs: number): number => Math.floor(ttlMs / minuteMs) * minuteMs;

/** Half an hour, less a minute for the way. */
const soonestMs = 29 * minuteMs;

/** Why a running workspace's deadline cannot be this one; undefined: it can. */
export function extendProblem(
  deadline: Date,
  { now, startedAt }: { readonly now: Date; readonly startedAt: Date },
): string | undefined {
  if (deadline.getTime() < now.getTime() + soonestMs) {
    return "new deadline must be at least 30 minutes in the future";
  }
  if (deadline < startedAt) return "new deadline must be after the workspace's start";
  return undefined;
}
