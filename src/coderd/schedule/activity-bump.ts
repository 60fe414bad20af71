/** Whether use of a workspace moves the time at which it stops by itself (spec lifecycle §6.3). Pure. */

export interface BumpFacts {
  readonly now: Date;
  readonly activityBumpMs: number;
  readonly ttlMs: number | null;
  readonly defaultTtlMs: number;
  readonly allowUserAutostop: boolean;
  readonly deadline: Date | null;
  readonly maxDeadline: Date | null;
  /** When it starts by itself next; null: never, or on a day that is not allowed. */
  readonly nextAutostart: Date | null;
  readonly transition: "start" | "stop" | "delete";
  readonly jobCompleted: boolean;
  readonly prebuild: boolean;
}

const secondMs = 1000;

/** The new deadline; undefined: it stays. */
export function bumpedDeadline(facts: BumpFacts): Date | undefined {
  const { activityBumpMs, deadline, maxDeadline, prebuild } = facts;
  if (prebuild || facts.transition !== "start" || !facts.jobCompleted) return undefined;
  if (activityBumpMs <= 0 || deadline === null) return undefined;
  const now = facts.now.getTime();
  const intervalMs = intervalOf(facts, now);
  if (intervalMs === undefined) return undefined;
  // A twentieth must be used up, so that a busy workspace does not write with each report.
  if (deadline.getTime() - 0.95 * intervalMs >= now) return undefined;
  const wanted = Math.max(deadline.getTime(), now + intervalMs);
  return new Date(maxDeadline === null ? wanted : Math.min(wanted, maxDeadline.getTime()));
}

/** Where the workspace would start by itself meanwhile, it stays up as if it had. */
function intervalOf({ nextAutostart, ...facts }: BumpFacts, now: number): number | undefined {
  const bump = Math.floor(facts.activityBumpMs / secondMs) * secondMs;
  const start = nextAutostart?.getTime();
  if (start === undefined || !(now + bump > start && start > now)) return bump;
  const ttlMs = facts.allowUserAutostop ? facts.ttlMs : facts.defaultTtlMs;
  return ttlMs === null ? undefined : start - now + Math.floor(ttlMs / secondMs) * secondMs;
}
