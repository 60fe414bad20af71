/** When a workspace starts by itself. Days of the week are bits; bit 0 is Monday. Pure. */
import { nextTime, parseSchedule, ScheduleError } from "./cron.ts";
import { weekdayOf } from "./zone.ts";

const weekMs = 7 * 86_400_000;

export interface Autostart {
  readonly schedule: string;
  /** Of the template. */
  readonly allowedDays: number;
}

/** The schedule's next time, and whether its day, on the schedule's calendar, is allowed. */
export function nextAutostart(
  { schedule: text, allowedDays }: Autostart,
  after: Date,
): { readonly at: Date; readonly allowed: boolean } | undefined {
  const schedule = tryParse(text);
  const at = schedule && nextTime(schedule, after);
  if (!schedule || !at) return undefined;
  const weekday = weekdayOf(schedule.zone.dayOf(at.getTime()));
  return { at, allowed: (allowedDays & (1 << weekday)) !== 0 };
}

/** The first allowed time; undefined if the next week has none. */
export function nextAllowedAutostart(autostart: Autostart, after: Date): Date | undefined {
  let from = after;
  while (from.getTime() - after.getTime() < weekMs) {
    const next = nextAutostart(autostart, from);
    if (!next) return undefined;
    if (next.allowed) return next.at;
    from = next.at;
  }
  return undefined;
}

/** What is stored was checked when it was set; an unreadable one never starts anything. */
function tryParse(text: string) {
  try {
    return parseSchedule(text, "weekly");
  } catch (error) {
    if (error instanceof ScheduleError) return undefined;
    throw error;
  }
}
