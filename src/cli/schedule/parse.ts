/** Times as people type and read them in `coder schedule`. Pure. */
import { UserError } from "../errors.ts";

/** `9:30AM`, `09:30am`, `13:30`, `0930`, `9AM`: hour and minute. */
export function parseClock(text: string): { readonly hour: number; readonly minute: number } {
  const twelve = /^(\d{1,2})(?::(\d{2}))?(AM|PM|am|pm)$/.exec(text);
  const full = /^(\d{1,2}):(\d{2})$/.exec(text) ?? /^(\d{2})(\d{2})$/.exec(text);
  const match = twelve ?? full;
  let hour = Number(match?.[1]);
  const minute = Number(match?.[2] ?? 0);
  const bad = twelve ? hour < 1 || hour > 12 : hour > 23;
  if (!match || bad || minute > 59) {
    throw new UserError(
      `a start time is given as 9:30AM, 9am, 13:30 or 1330: received ${JSON.stringify(text)}`,
    );
  }
  if (twelve) hour = (hour % 12) + (/^pm$/i.test(twelve[3] ?? "") ? 12 : 0);
  return { hour, minute };
}

const dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

export const isZone = (text: string): boolean => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    // Abbreviations mean several zones, or one without summer time.
    return text === "UTC" || text.includes("/");
  } catch {
    return false;
  }
};

/** Words after the workspace: time, then days and zone in this order, each optional. Gives the server's cron text. */
export function parseStart(words: readonly string[], localZone: string): string {
  const [time = "", second, third, ...more] = words;
  if (more.length > 0) throw new UserError("a schedule is given as <start-time> [day-of-week] [location]");
  const { hour, minute } = parseClock(time);
  let days = "*";
  let zone = localZone;
  if (second !== undefined && third === undefined && isZone(second)) zone = second;
  else if (second !== undefined) days = parseDays(second);
  if (third !== undefined) {
    if (!isZone(third)) {
      throw new UserError(
        /^[A-Z]{2,5}$/.test(third)
          ? `The location you provided looks like a timezone: ${third}. Give a place, such as America/Chicago; check https://ipinfo.io for yours.`
          : `the location ${JSON.stringify(third)} is unknown; give one such as Europe/Dublin`,
      );
    }
    zone = third;
  }
  return `CRON_TZ=${zone} ${minute} ${hour} * * ${days}`;
}

function parseDays(text: string): string {
  const day = "(?:[0-7]|Sun|Mon|Tue|Wed|Thu|Fri|Sat)";
  if (text !== "*" && !new RegExp(`^${day}(?:-${day})?(?:,${day}(?:-${day})?)*$`, "i").test(text)) {
    throw new UserError(
      `days are given as Mon-Fri, Sat,Sun or 1-5: received ${JSON.stringify(text)} (a zone is given as Europe/Dublin)`,
    );
  }
  return text;
}

/** `9:30AM Mon-Fri (Europe/Dublin)` of the server's cron text; what is none of its forms is shown as it is. */
export function scheduleDisplay(cron: string | undefined): string {
  const match = /^(?:CRON_TZ=(\S+) )?(\d{1,2}) (\d{1,2}) \* \* (\S+)$/.exec(cron ?? "");
  if (!match) return cron ?? "";
  const [, zone = "UTC", minute = "", hour = "", days = ""] = match;
  const h = Number(hour);
  const clock = `${h % 12 === 0 ? 12 : h % 12}:${minute.padStart(2, "0")}${h < 12 ? "AM" : "PM"}`;
  const shown = days === "*" ? "daily" : days.replace(/\d/g, (digit) => dayNames[Number(digit) % 7] ?? digit);
  return `${clock} ${shown} (${zone})`;
}

/** Milliseconds. Bare digits are minutes. */
export function minutesOrDuration(text: string, parse: (text: string) => number): number {
  return /^\d+$/.test(text) ? Number(text) * 60_000 : parse(text);
}
