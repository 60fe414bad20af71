/** Moments with a zone, as RFC 3339 writes them, and Go's arithmetic on them. */

export interface Moment {
  /** Since 1970, UTC. */
  readonly ms: number;
  readonly offsetMinutes: number;
}

const pattern = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Undefined for what is no RFC 3339 time. Fractions of a second are dropped. */
export function parseMoment(text: string): Moment | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  const back = new Date(local);
  const exact = back.getUTCMonth() === month - 1 && back.getUTCDate() === day && back.getUTCHours() === hour;
  if (!exact || minute > 59 || second > 59) return undefined;
  const zone = match[7] ?? "Z";
  const offsetMinutes =
    zone === "Z"
      ? 0
      : (zone.startsWith("-") ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)));
  return { ms: local - offsetMinutes * 60_000, offsetMinutes };
}

const two = (value: number): string => String(value).padStart(2, "0");

export function formatMoment({ ms, offsetMinutes }: Moment): string {
  const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, 19);
  if (offsetMinutes === 0) return `${local}Z`;
  const size = Math.abs(offsetMinutes);
  return `${local}${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Fixed lengths are added as they are; days, months and years by the calendar, where 31 + 1 month runs over. */
export function shift(
  moment: Moment,
  unit: "days" | "hours" | "minutes" | "months" | "seconds" | "years",
  count: number,
): Moment {
  const { ms, offsetMinutes } = moment;
  switch (unit) {
    case "seconds":
      return { ms: ms + count * 1000, offsetMinutes };
    case "minutes":
      return { ms: ms + count * 60_000, offsetMinutes };
    case "hours":
      return { ms: ms + count * 3_600_000, offsetMinutes };
    case "days":
      return addCalendar(moment, 0, 0, count);
    case "months":
      return addCalendar(moment, 0, count, 0);
    case "years":
      return addCalendar(moment, count, 0, 0);
  }
}

function addCalendar({ ms, offsetMinutes }: Moment, years: number, months: number, days: number): Moment {
  const at = new Date(ms + offsetMinutes * 60_000);
  at.setUTCFullYear(at.getUTCFullYear() + years, at.getUTCMonth() + months, at.getUTCDate() + days);
  return { ms: at.getTime() - offsetMinutes * 60_000, offsetMinutes };
}
