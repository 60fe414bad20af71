/** Cron expressions as upstream's scheduler reads them: checks only, nothing is scheduled here. */

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly words?: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const second: Field = { name: "second", min: 0, max: 59 };
const minute: Field = { name: "minute", min: 0, max: 59 };
const hour: Field = { name: "hour", min: 0, max: 23 };
const dayOfMonth: Field = { name: "day of month", min: 1, max: 31 };
const month: Field = { name: "month", min: 1, max: 12, words: months };
const dayOfWeek: Field = { name: "day of week", min: 0, max: 6, words: days };

const descriptors = new Set([
  "@yearly",
  "@annually",
  "@monthly",
  "@weekly",
  "@daily",
  "@midnight",
  "@hourly",
]);
const everyPattern = /^@every (?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/;

function numberOf(text: string, { words, min }: Field): number | undefined {
  const word = words?.indexOf(text.toLowerCase()) ?? -1;
  if (word >= 0) return word + (min === 1 ? 1 : 0);
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function rangeProblem(text: string, field: Field): string | undefined {
  const [range = "", step, ...more] = text.split("/");
  if (more.length > 0) return `the ${field.name} has too many slashes: ${JSON.stringify(text)}`;
  if (step !== undefined && !/^0*[1-9]\d{0,8}$/.test(step)) {
    return `the step of the ${field.name} must be a number from 1: ${JSON.stringify(text)}`;
  }
  if (range === "*" || range === "?") return undefined;
  const [low = "", high, ...rest] = range.split("-");
  if (rest.length > 0) return `the ${field.name} has too many hyphens: ${JSON.stringify(text)}`;
  const from = numberOf(low, field);
  const to = high === undefined ? from : numberOf(high, field);
  if (from === undefined || to === undefined) {
    return `the ${field.name} is no number: ${JSON.stringify(text)}`;
  }
  if (from < field.min || to > field.max) {
    return `the ${field.name} must be from ${field.min} to ${field.max}: ${JSON.stringify(text)}`;
  }
  return from > to ? `the ${field.name} ends before it begins: ${JSON.stringify(text)}` : undefined;
}

function fieldsProblem(texts: readonly string[], fields: readonly Field[]): string | undefined {
  for (const [i, field] of fields.entries()) {
    for (const part of (texts[i] ?? "*").split(",")) {
      const problem = rangeProblem(part, field);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function split(expression: string): string[] {
  return expression.split(/\s+/).filter((text) => text !== "");
}

export function isTimeZone(name: string): boolean {
  if (name === "" || name === "Local") return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** `second minute hour day month [weekday]`, a descriptor, or either after `TZ=…`. Undefined where it is valid. */
export function scriptCronProblem(expression: string): string | undefined {
  const zone = /^(?:CRON_)?TZ=(\S*)\s+/.exec(expression);
  if (zone && !isTimeZone(zone[1] ?? "")) return `its time zone is not known: ${zone[1]}`;
  const rest = expression.slice(zone?.[0].length ?? 0);
  if (rest.startsWith("@")) {
    return descriptors.has(rest) || everyPattern.test(rest) ? undefined : "its descriptor is not known";
  }
  const texts = split(rest);
  if (texts.length < 5 || texts.length > 6) return `it has ${texts.length} fields instead of 5 or 6`;
  return fieldsProblem(texts, [second, minute, hour, dayOfMonth, month, dayOfWeek]);
}

/** Whether it could be meant as the usual five fields, that is: without seconds. */
export function looksLikeUnixCron(expression: string): boolean {
  const texts = split(expression);
  return (
    texts.length === 5 && fieldsProblem(texts, [minute, hour, dayOfMonth, month, dayOfWeek]) === undefined
  );
}

/** A prebuild's schedule: `* hour day month weekday`. Undefined where it is valid. */
export function prebuildCronProblem(expression: string): string | undefined {
  const texts = split(expression);
  if (texts.length !== 5) return `a schedule has 5 fields, not ${texts.length}`;
  if (texts[0] !== "*") return "a schedule covers whole hours: its minute must be *";
  return fieldsProblem(texts, [minute, hour, dayOfMonth, month, dayOfWeek]);
}

/** The numbers of a field; undefined for `*`. Throws an Error that says what it cannot hold. */
function numbersOf(text: string, field: Field): ReadonlySet<number> | undefined {
  if (text === "*") return undefined;
  const out = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (!match) throw new Error(`the ${field.name} must be numbers, ranges or *: ${JSON.stringify(part)}`);
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    if (from < field.min || to > field.max || from > to) {
      throw new Error(`the ${field.name} must be from ${field.min} to ${field.max}: ${JSON.stringify(part)}`);
    }
    for (let value = from; value <= to; value++) out.add(value);
  }
  return out;
}

type Numbers = ReadonlySet<number> | undefined;

function overlap(one: Numbers, other: Numbers): boolean {
  if (!one || !other) return true;
  return [...one].some((value) => other.has(value));
}

interface Parts {
  readonly hours: Numbers;
  readonly daysOfMonth: Numbers;
  readonly months: Numbers;
  readonly daysOfWeek: Numbers;
}

function parts(expression: string): Parts {
  const [, hours = "*", dom = "*", mon = "*", dow = "*"] = split(expression);
  return {
    hours: numbersOf(hours, hour),
    daysOfMonth: numbersOf(dom, dayOfMonth),
    months: numbersOf(mon, month),
    daysOfWeek: numbersOf(dow, dayOfWeek),
  };
}

/** Where a day of the month is `*`, the weekdays decide, and the other way round; else either suffices. */
function daysOverlap(one: Parts, other: Parts): boolean {
  const weekdays = overlap(one.daysOfWeek, other.daysOfWeek);
  const dates = overlap(one.daysOfMonth, other.daysOfMonth);
  if (!one.daysOfMonth || !other.daysOfMonth) return weekdays;
  if (!one.daysOfWeek || !other.daysOfWeek) return dates;
  return weekdays || dates;
}

/** Two valid schedules must not both hold at any hour. Undefined where none do. */
export function overlapProblem(expressions: readonly string[]): string | undefined {
  let all: { readonly text: string; readonly parts: Parts }[];
  try {
    // One schedule has nothing to overlap with, and may use what overlaps cannot be computed for.
    if (expressions.length < 2) return undefined;
    all = expressions.map((text) => ({ text, parts: parts(text) }));
  } catch (cause) {
    return `schedules cannot be compared: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  for (const [i, one] of all.entries()) {
    for (const other of all.slice(i + 1)) {
      const both =
        overlap(one.parts.months, other.parts.months) &&
        daysOverlap(one.parts, other.parts) &&
        overlap(one.parts.hours, other.parts.hours);
      if (both) return `schedules overlap: ${one.text} and ${other.text}`;
    }
  }
  return undefined;
}
