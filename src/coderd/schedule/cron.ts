/**
 * Cron schedules of workspaces, quiet hours and prebuilds (spec lifecycle §10): five fields, in a time zone. The next
 * time is the first whole minute whose clock reading matches all fields: what a change of clocks skips is skipped, what
 * it repeats happens twice. Pure.
 */
import { Zone } from "./zone.ts";

export type ScheduleKind = "weekly" | "daily" | "time_range";

export interface Schedule {
  readonly zone: Zone;
  /** The five fields as they were written, one space between them. */
  readonly fields: string;
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Both kinds of days are restricted: one of them is enough. */
  readonly eitherDay: boolean;
}

/** A schedule that is not one; the message says what was received. */
export class ScheduleError extends Error {}

const minuteMs = 60_000;
const dayMs = 86_400_000;
const searchMs = 5 * 366 * dayMs;
const maxLength = 256;

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const minuteField: Field = { name: "minute", min: 0, max: 59 };
const hourField: Field = { name: "hour", min: 0, max: 23 };
const dayField: Field = { name: "day of month", min: 1, max: 31 };
const monthField: Field = { name: "month", min: 1, max: 12, names: monthNames };
const weekdayField: Field = { name: "day of week", min: 0, max: 6, names: dayNames };

/** `[CRON_TZ=zone ]minute hour day month weekday`; throws ScheduleError. */
export function parseSchedule(text: string, kind: ScheduleKind): Schedule {
  if (text.length > maxLength) throw new ScheduleError(`a schedule has at most ${maxLength} characters`);
  const match = /^CRON_TZ=(\S*)\s+(.*)$/s.exec(text);
  const zoneName = match ? (match[1] ?? "") : "UTC";
  const parts = (match ? (match[2] ?? "") : text).trim().split(/\s+/);
  const fields = parts.join(" ");
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = parts;
  const what = JSON.stringify(text);
  if (parts.length !== 5 || fields === "") {
    throw new ScheduleError(`five fields are expected, optionally after CRON_TZ=zone: received ${what}`);
  }
  mustBeOfKind(kind, { minute, day, month, weekday });
  const zone = Zone.find(zoneName);
  if (!zone) throw new ScheduleError(`${JSON.stringify(zoneName)} is no time zone`);
  return {
    zone,
    fields,
    minutes: [...parseField(minute, minuteField)].toSorted((a, b) => a - b),
    hours: [...parseField(hour, hourField)].toSorted((a, b) => a - b),
    daysOfMonth: parseField(day, dayField),
    months: parseField(month, monthField),
    daysOfWeek: parseField(weekday, weekdayField),
    eitherDay: !isAny(day) && !isAny(weekday),
  };
}

function mustBeOfKind(
  kind: ScheduleKind,
  { minute, day, month, weekday }: Readonly<Record<"minute" | "day" | "month" | "weekday", string>>,
): void {
  if (kind === "time_range") {
    if (minute !== "*") throw new ScheduleError("the minute of a range of times is *");
    return;
  }
  if (day !== "*" || month !== "*") throw new ScheduleError("day of month and month must be *");
  if (kind === "daily" && weekday !== "*") throw new ScheduleError("the day of the week must be *, too");
}

/** A list with an element for all: `*`, `?`, or either in steps of one. */
const isAny = (text: string): boolean => text.split(",").some((part) => /^[*?](\/0*1)?$/.test(part));

function parseField(text: string, field: Field): Set<number> {
  const out = new Set<number>();
  for (const part of text.split(",")) {
    const wrong = (why: string) =>
      new ScheduleError(`the ${field.name} ${JSON.stringify(part)} cannot be read: ${why}`);
    const [range = "", step, ...more] = part.split("/");
    if (more.length > 0) throw wrong("it has more than one step");
    const [from, to] = bounds(range, step !== undefined, field, wrong);
    const by = step === undefined ? 1 : whole(step);
    if (by === undefined || by < 1) throw wrong("its step is no positive number");
    if (from > to) throw wrong("it ends before it begins");
    if (from < field.min || to > field.max) throw wrong(`it is not within ${field.min} to ${field.max}`);
    for (let value = from; value <= to; value += by) out.add(value);
  }
  return out;
}

function bounds(
  range: string,
  stepped: boolean,
  field: Field,
  wrong: (why: string) => ScheduleError,
): readonly [number, number] {
  if (range === "*" || range === "?") return [field.min, field.max];
  const ends = range.split("-");
  const [from, to] = ends.map((end) => {
    const named = field.names?.indexOf(end.toLowerCase()) ?? -1;
    return named >= 0 ? named + field.min : whole(end);
  });
  if (from === undefined || ends.length > 2) throw wrong("it is no number");
  if (ends.length === 1) return [from, stepped ? field.max : from];
  if (to === undefined) throw wrong("it is no number");
  return [from, to];
}

const whole = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

export const scheduleText = ({ zone, fields }: Schedule): string => `CRON_TZ=${zone.name} ${fields}`;

/** The first time after `after`; undefined if there is none in five years. */
export function nextTime(schedule: Schedule, after: Date): Date | undefined {
  const fromMs = (Math.floor(after.getTime() / minuteMs) + 1) * minuteMs;
  for (const { startMs, endMs, offsetMs } of schedule.zone.stretches(fromMs, fromMs + searchMs)) {
    const wallMs = firstMatch(schedule, startMs + offsetMs, endMs + offsetMs);
    if (wallMs !== undefined) return new Date(wallMs - offsetMs);
  }
  return undefined;
}

/** Clock readings as if they were UTC. */
function firstMatch(schedule: Schedule, fromMs: number, untilMs: number): number | undefined {
  for (let day = Math.floor(fromMs / dayMs); day * dayMs < untilMs; day++) {
    if (!matchesDay(schedule, new Date(day * dayMs))) continue;
    for (const hour of schedule.hours) {
      const hourMs = day * dayMs + hour * 60 * minuteMs;
      if (hourMs + 60 * minuteMs <= fromMs) continue;
      for (const minute of schedule.minutes) {
        const at = hourMs + minute * minuteMs;
        if (at >= untilMs) return undefined;
        if (at >= fromMs) return at;
      }
    }
  }
  return undefined;
}

function matchesDay(schedule: Schedule, day: Date): boolean {
  if (!schedule.months.has(day.getUTCMonth() + 1)) return false;
  const ofMonth = schedule.daysOfMonth.has(day.getUTCDate());
  const ofWeek = schedule.daysOfWeek.has(day.getUTCDay());
  return schedule.eitherDay ? ofMonth || ofWeek : ofMonth && ofWeek;
}

/** A schedule whose minute is `*`, read as a range of times. */
export function isInRange(schedule: Schedule, at: Date): boolean {
  const minute = Math.floor(at.getTime() / minuteMs) * minuteMs;
  return nextTime(schedule, new Date(minute - 1000))?.getTime() === minute;
}
