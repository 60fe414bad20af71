/**
 * Cron schedules of scripts (spec agent §8): `second minute hour day-of-month month [day-of-week]`, in this machine's
 * time zone. Times that a change of clocks skips do not happen. Pure.
 */

export interface CronSchedule {
  readonly seconds: ReadonlySet<number>;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Both kinds of days are restricted: one of them is enough. */
  readonly eitherDay: boolean;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const fields: readonly [Field, Field, Field, Field, Field, Field] = [
  { name: "second", min: 0, max: 59 },
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: words("jan feb mar apr may jun jul aug sep oct nov dec") },
  { name: "day of week", min: 0, max: 6, names: words("sun mon tue wed thu fri sat") },
];
const searchYears = 5;
const maxLength = 256;

function words(text: string): string[] {
  return text.split(" ");
}

/** Throws for what is no schedule, naming it. */
export function parseCron(text: string): CronSchedule {
  const parts = text.trim().split(/\s+/u);
  if (parts.length < 5 || parts.length > 6 || text.length > maxLength) {
    throw new Error(
      `a cron schedule has five or six fields, seconds first: received ${JSON.stringify(text)}`,
    );
  }
  const [second = "", minute = "", hour = "", day = "", month = "", weekday = "*"] = parts;
  const [s, m, h, d, mo, w] = fields;
  const restricted = (field: string): boolean => !/^[*?]/u.test(field);
  return {
    seconds: parseField(second, s),
    minutes: parseField(minute, m),
    hours: parseField(hour, h),
    days: parseField(day, d),
    months: parseField(month, mo),
    weekdays: parseField(weekday, w),
    eitherDay: restricted(day) && restricted(weekday),
  };
}

function parseField(text: string, field: Field): ReadonlySet<number> {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [range = "", step, ...rest] = part.split("/");
    const every = step === undefined ? 1 : Number(step);
    if (rest.length > 0 || !Number.isInteger(every) || every < 1) throw bad(part, field);
    const [from, to] = bounds(range, field, step !== undefined);
    for (let value = from; value <= to; value += every) values.add(value);
  }
  return values;
}

function bounds(range: string, field: Field, stepped: boolean): [number, number] {
  if (range === "*" || range === "?") return [field.min, field.max];
  const [first = "", last, ...rest] = range.split("-");
  const from = valueOf(first, field);
  // `5/15` goes on to the end of the field.
  const to = last === undefined ? (stepped ? field.max : from) : valueOf(last, field);
  if (rest.length > 0 || from > to) throw bad(range, field);
  return [from, to];
}

function valueOf(text: string, field: Field): number {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  const value = named >= 0 ? named + field.min : /^\d{1,2}$/u.test(text) ? Number(text) : Number.NaN;
  if (!(value >= field.min && value <= field.max)) throw bad(text, field);
  return value;
}

function bad(text: string, { name, min, max }: Field): Error {
  return new Error(`a ${name} is from ${min} to ${max}: received ${JSON.stringify(text)}`);
}

/** The first time after `after`; undefined when there is none within five years. */
export function nextCron(schedule: CronSchedule, after: Date): Date | undefined {
  let at = new Date(Math.floor(after.getTime() / 1000) * 1000 + 1000);
  const end = at.getFullYear() + searchYears;
  while (at.getFullYear() <= end) {
    const [year, month, day] = [at.getFullYear(), at.getMonth(), at.getDate()];
    const [hour, minute, second] = [at.getHours(), at.getMinutes(), at.getSeconds()];
    if (!schedule.months.has(month + 1)) at = new Date(year, month + 1, 1);
    else if (!dayMatches(schedule, day, at.getDay())) at = new Date(year, month, day + 1);
    else if (!schedule.hours.has(hour)) at = later(at, new Date(year, month, day, hour + 1), 3_600_000);
    else if (!schedule.minutes.has(minute)) {
      at = later(at, new Date(year, month, day, hour, minute + 1), 60_000);
    } else if (!schedule.seconds.has(second)) at = new Date(at.getTime() + 1000);
    else return at;
  }
  return undefined;
}

/** Where clocks are set back, the next reading may be an earlier time; then the next one in real time. */
function later(at: Date, reading: Date, stepMs: number): Date {
  return reading > at ? reading : new Date(Math.floor(at.getTime() / stepMs) * stepMs + stepMs);
}

function dayMatches({ days, weekdays, eitherDay }: CronSchedule, day: number, weekday: number): boolean {
  const [byDay, byWeekday] = [days.has(day), weekdays.has(weekday)];
  return eitherDay ? byDay || byWeekday : byDay && byWeekday;
}
