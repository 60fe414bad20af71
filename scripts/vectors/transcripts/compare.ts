/** Recorded answers against ours. Texts for people are compared for presence, save the few fixed ones. */
import type { Values } from "./values.ts";

export type Mode = "exact" | "shape" | "status";

const fixedTexts = [
  "You are signed out or your session has expired. Please sign in again to continue.",
  "Resource not found or you do not have access to this resource",
  "Validation failed.",
  "Route not found.",
  "👋",
  "Unknown or unsupported API version",
  "Invalid resume token",
  "database not reachable",
];

const isFixed = (text: string): boolean =>
  fixedTexts.includes(text) ||
  text.startsWith("Validation failed for tag ") ||
  /unknown rpc: |workspace agent name/.test(text);

/** Keys whose texts are for people. `detail` and `message` of errors, `summary` of diagnostics, and lines of logs. */
const texts = new Set(["message", "summary", "detail", "error_description", "details", "output"]);

const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeOf(value) === "object";

/** Differences of one JSON value, each with its path. */
export function compareJson(
  expected: unknown,
  actual: unknown,
  mode: Mode,
  values: Values,
  path = "",
): string[] {
  if (expected === "{any}") return [];
  const key = path.split(".").at(-1) ?? "";
  if (typeof expected === "string" && typeof actual === "string") {
    if (texts.has(key)) {
      if (isFixed(expected)) return values.matches(expected, actual) ? [] : [diff(path, expected, actual)];
      return (expected === "") === (actual === "") || expected.includes("{")
        ? []
        : [diff(path, expected, actual)];
    }
    if (values.matches(expected, actual)) return [];
    return mode === "shape" && !/\{(uuid|token|keyid):\d+\}/.test(expected)
      ? []
      : [diff(path, expected, actual)];
  }
  if (mode === "shape" && (actual === null || expected === null)) return [];
  if (typeOf(expected) !== typeOf(actual)) return [diff(path, expected, actual)];
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return compareLists(expected, actual, mode, values, path);
  }
  if (isRecord(expected) && isRecord(actual)) return compareRecords(expected, actual, mode, values, path);
  return mode === "shape" || expected === actual ? [] : [diff(path, expected, actual)];
}

function compareLists(
  expected: readonly unknown[],
  actual: readonly unknown[],
  mode: Mode,
  values: Values,
  path: string,
): string[] {
  if (mode === "shape") {
    if (expected.length === 0 || actual.length === 0) return [];
    return compareJson(expected[0], actual[0], mode, values, `${path}.0`);
  }
  const last = expected.at(-1);
  const more = typeof last === "string" ? /^\{(\d+) more\}$/.exec(last) : null;
  const shown = more === null ? expected : expected.slice(0, -1);
  const length = shown.length + Number(more?.[1] ?? 0);
  if (actual.length !== length) return [`${path}: ${length} elements expected, ${actual.length} here`];
  return shown.flatMap((entry, at) => compareJson(entry, actual[at], mode, values, `${path}.${at}`));
}

function compareRecords(
  expected: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
  mode: Mode,
  values: Values,
  path: string,
): string[] {
  const out: string[] = [];
  const named = new Set<string>();
  for (const [key, value] of Object.entries(expected)) {
    const optional = key.startsWith("?");
    const name = values.fill(optional ? key.slice(1) : key);
    named.add(name);
    if (name in actual) out.push(...compareJson(value, actual[name], mode, values, `${path}.${name}`));
    else if (!optional) out.push(`${path}.${name}: missing`);
  }
  if (mode === "exact") {
    for (const name of Object.keys(actual)) if (!named.has(name)) out.push(`${path}.${name}: not expected`);
  }
  return out;
}

function diff(path: string, expected: unknown, actual: unknown): string {
  return `${path === "" ? "body" : path}: expected ${short(expected)}, here ${short(actual)}`;
}

const short = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
};

/** Headers whose order means nothing. */
const sets = new Set(["vary", "allow"]);

const asSet = (text: string): string =>
  text
    .split(",")
    .map((part) => part.trim().toLowerCase())
    .toSorted()
    .join(", ");

export function compareHeaders(
  expected: Readonly<Record<string, string | readonly string[]>>,
  actual: Headers,
  values: Values,
): string[] {
  const out: string[] = [];
  for (const [name, want] of Object.entries(expected)) {
    if (typeof want !== "string") {
      out.push(...compareCookies(want, actual.getSetCookie(), values));
      continue;
    }
    const got = actual.get(name) ?? "";
    const same = sets.has(name) ? asSet(got) === asSet(want) : values.matches(want, got);
    if (!same) out.push(`header ${name}: expected ${want}, here ${got}`);
  }
  return out;
}

/** In any order; attributes of a cookie as they stand. */
function compareCookies(expected: readonly string[], actual: readonly string[], values: Values): string[] {
  const left = actual.filter((cookie) => !cookie.startsWith("csrf_token="));
  const out: string[] = [];
  for (const want of expected) {
    const at = left.findIndex((cookie) => values.matches(want, cookie));
    if (at < 0) out.push(`set-cookie: expected ${want}, here ${left.join(" | ")}`);
    else left.splice(at, 1);
  }
  for (const cookie of left) out.push(`set-cookie: not expected: ${cookie}`);
  return out;
}
