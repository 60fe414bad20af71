/** Dates: RFC 3339 texts. "Now" is a parameter. */
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError } from "../cty/value.ts";
import { define, type FunctionTable, text, textOf } from "./define.ts";

interface Stamp {
  readonly ms: number;
  readonly nanoseconds: number;
  readonly offsetMinutes: number;
  readonly zone: string;
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

function parseStamp(source: string, at: number): Stamp {
  const match = rfc3339.exec(source);
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = match ?? [];
  const ms = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const valid =
    match &&
    Number(month) <= 12 &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60 &&
    new Date(ms).getUTCDate() === Number(day);
  if (!valid) {
    throw new ValueError(`not a valid RFC3339 timestamp: ${JSON.stringify(source.slice(0, 60))}`, at);
  }
  const offsetMinutes =
    zone.toUpperCase() === "Z"
      ? 0
      : (zone.startsWith("-") ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
  return {
    ms: ms - offsetMinutes * 60_000,
    nanoseconds: Number(fraction.padEnd(9, "0")),
    offsetMinutes,
    zone: zone.toUpperCase(),
  };
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Go's durations (`-1h15.5m`) in nanoseconds. */
function parseDuration(source: string): bigint {
  const refuse = () => new ValueError(`not a valid duration: ${JSON.stringify(source.slice(0, 60))}`, 1);
  const negative = source.startsWith("-");
  const body = source.replace(/^[+-]/, "");
  if (body === "0") return 0n;
  if (body === "" || body.length > 100 || !/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.test(body)) {
    throw refuse();
  }
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of body.matchAll(
    /(\d*)(?:\.(\d*))?(ns|us|µs|ms|s|m|h)/g,
  )) {
    const size = units[unit] ?? 0n;
    total += BigInt(whole === "" ? 0 : whole) * size;
    if (fraction !== "") total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  return negative ? -total : total;
}

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

function print(ms: number, nanoseconds: number, offsetMinutes: number): string {
  const local = new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, 19);
  const fraction = nanoseconds === 0 ? "" : `.${pad(nanoseconds, 9).replace(/0+$/, "")}`;
  return `${local}${fraction}${offsetText(offsetMinutes, ":")}`;
}

function offsetText(minutes: number, colon: string): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60), 2)}${colon}${pad(size % 60, 2)}`;
}

function timeAdd(source: string, duration: string): string {
  const stamp = parseStamp(source, 0);
  const total = BigInt(stamp.ms) * 1_000_000n + BigInt(stamp.nanoseconds) + parseDuration(duration);
  const seconds = total >= 0n ? total / 1_000_000_000n : -((-total + 999_999_999n) / 1_000_000_000n);
  const ms = Number(seconds * 1000n);
  if (Number.isNaN(new Date(ms).getTime())) throw new ValueError("the result is out of range");
  // Terraform prints whole seconds.
  return print(ms, 0, stamp.offsetMinutes);
}

const months = "January February March April May June July August September October November December".split(
  " ",
);
const days = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

function formatPart(stamp: Stamp, local: Date, part: string): string {
  const hour = local.getUTCHours();
  switch (part) {
    case "YYYY":
      return pad(local.getUTCFullYear(), 4);
    case "YY":
      return pad(local.getUTCFullYear() % 100, 2);
    case "MMMM":
      return months[local.getUTCMonth()] ?? "";
    case "MMM":
      return (months[local.getUTCMonth()] ?? "").slice(0, 3);
    case "MM":
      return pad(local.getUTCMonth() + 1, 2);
    case "M":
      return String(local.getUTCMonth() + 1);
    case "DD":
      return pad(local.getUTCDate(), 2);
    case "D":
      return String(local.getUTCDate());
    case "EEEE":
      return days[local.getUTCDay()] ?? "";
    case "EEE":
      return (days[local.getUTCDay()] ?? "").slice(0, 3);
    case "hh":
      return pad(hour, 2);
    case "h":
      return String(hour);
    case "HH":
      return pad(hour % 12 || 12, 2);
    case "H":
      return String(hour % 12 || 12);
    case "AA":
      return hour < 12 ? "AM" : "PM";
    case "aa":
      return hour < 12 ? "am" : "pm";
    case "mm":
      return pad(local.getUTCMinutes(), 2);
    case "m":
      return String(local.getUTCMinutes());
    case "ss":
      return pad(local.getUTCSeconds(), 2);
    case "s":
      return String(local.getUTCSeconds());
    case "ZZZZZ":
      return stamp.offsetMinutes === 0 ? "+00:00" : offsetText(stamp.offsetMinutes, ":");
    case "ZZZZ":
      return stamp.offsetMinutes === 0 ? "+0000" : offsetText(stamp.offsetMinutes, "");
    case "ZZZ":
      return stamp.offsetMinutes === 0 ? "UTC" : offsetText(stamp.offsetMinutes, "");
    case "Z":
      return offsetText(stamp.offsetMinutes, ":");
    default:
      throw new ValueError(`invalid date format verb ${JSON.stringify(part)}`, 0);
  }
}

function formatDate(spec: string, source: string): string {
  const stamp = parseStamp(source, 1);
  const local = new Date(stamp.ms + stamp.offsetMinutes * 60_000);
  let out = "";
  for (const [part, quoted] of spec.matchAll(/'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g)) {
    if (part === "'") throw new ValueError("unterminated literal '", 0);
    if (quoted !== undefined) out += quoted === "" ? "" : quoted.replaceAll("''", "'");
    else out += /^[A-Za-z]/.test(part) ? formatPart(stamp, local, part) : part;
  }
  return out;
}

/** `planTime` is when the plan was made; `now` is asked at each call of `timestamp`. */
export function timeFunctions(now: () => Date, planTime: Date): FunctionTable {
  const seconds = (date: Date): string => print(Math.floor(date.getTime() / 1000) * 1000, 0, 0);
  return {
    timestamp: define({ returns: t.string }, () => v.str(seconds(now()))),
    plantimestamp: define({ returns: t.string }, () => v.str(seconds(planTime))),
    timeadd: define({ params: [text, text], returns: t.string }, (args) =>
      v.str(timeAdd(textOf(args[0]), textOf(args[1]))),
    ),
    timecmp: define({ params: [text, text], returns: t.number }, (args) => {
      const a = parseStamp(textOf(args[0]), 0);
      const b = parseStamp(textOf(args[1]), 1);
      return v.int(Math.sign(a.ms - b.ms || a.nanoseconds - b.nanoseconds));
    }),
    formatdate: define({ params: [text, text], returns: t.string }, (args) =>
      v.str(formatDate(textOf(args[0]), textOf(args[1]))),
    ),
  };
}
