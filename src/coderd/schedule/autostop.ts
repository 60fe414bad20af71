/** When a build that completes now stops by itself, at the latest (spec lifecycle §6.1, §6.2). Pure. */
import { type Autostart, nextAutostart } from "./autostart.ts";
import { nextTime, type Schedule } from "./cron.ts";
import { weekdayOf } from "./zone.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export interface AutostopFacts {
  readonly completedAt: Date;
  /** The workspace's own; null: none. */
  readonly ttlMs: number | null;
  readonly defaultTtlMs: number;
  readonly allowUserAutostop: boolean;
  /** Null: the workspace does not start by itself. */
  readonly autostart: Autostart | null;
  readonly requirement: AutostopRequirement;
  /** Daily, of the owner. */
  readonly quietHours: Schedule;
}

export interface AutostopRequirement {
  /** Bit 0 is Monday; 0: no requirement. */
  readonly days: number;
  /** Every how many weeks; 0 counts as 1. */
  readonly weeks: number;
}

export interface Deadlines {
  readonly deadline: Date | null;
  readonly maxDeadline: Date | null;
}

export function deadlinesOf(facts: AutostopFacts): Deadlines {
  const wanted = wantedDeadline(facts);
  const maxDeadline = requiredStop(facts.requirement, facts.quietHours, facts.completedAt);
  if (!maxDeadline) return { deadline: wanted, maxDeadline: null };
  const deadline = wanted && wanted < maxDeadline ? wanted : maxDeadline;
  return { deadline, maxDeadline };
}

function wantedDeadline(facts: AutostopFacts): Date | null {
  const { completedAt, autostart } = facts;
  const ttlMs = facts.allowUserAutostop ? (facts.ttlMs ?? 0) : facts.defaultTtlMs;
  if (ttlMs <= 0) return null;
  const deadline = new Date(completedAt.getTime() + ttlMs);
  // A workspace that is up when it would start by itself stays up as if it had started then.
  const next = autostart ? nextAutostart(autostart, completedAt) : undefined;
  return next?.allowed && next.at < deadline ? new Date(next.at.getTime() + ttlMs) : deadline;
}

/**
 * The time in the owner's quiet hours at which the template requires a stop; null where it requires none.
 * Throws a RangeError when the clock is before 2023 and weeks are counted.
 */
export function requiredStop(
  { days, weeks }: AutostopRequirement,
  quietHours: Schedule,
  completedAt: Date,
): Date | null {
  if (days === 0) return null;
  const { zone } = quietHours;
  const doneMs = completedAt.getTime();
  const quietAfter = (ms: number): number => nextTime(quietHours, new Date(ms))?.getTime() ?? Infinity;
  let day = zone.dayOf(doneMs + 2 * hourMs);
  if (weeks > 1) day = applicableDay(day, weeks);
  if (quietAfter(zone.startOfDay(day) - 15 * minuteMs) < doneMs + 2 * hourMs) day += 1;
  while ((days & (1 << weekdayOf(day))) === 0) day += 1;
  const start = zone.startOfDay(day);
  const from = start < doneMs + hourMs ? doneMs + hourMs : start - 15 * minuteMs;
  const stop = quietAfter(from);
  return Number.isFinite(stop) ? new Date(stop) : null;
}

/** Monday 2 January 2023, in days since 1970. */
const epochDay = 19_359;

export const weeksSinceEpoch = (day: number): number => Math.floor((day - epochDay) / 7);

/** The day itself in a week that counts, else the Monday of the next one that does. */
export function applicableDay(day: number, weeks: number): number {
  const passed = weeksSinceEpoch(day);
  if (passed < 0) throw new RangeError("the server's clock is before the weeks of autostop requirements");
  const over = passed % weeks;
  return over === 0 ? day : epochDay + (passed - over + weeks) * 7;
}
