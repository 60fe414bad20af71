/** Values to and from PostgreSQL's text format, by the types that the generator wrote down. */
import type { BaseType, Columns, ColumnType, Query } from "./query.ts";

type Decode = (text: string) => unknown;

const scalars: Readonly<Record<BaseType, Decode>> = {
  text: (text) => text,
  number: decodeNumber,
  boolean: (text) => text === "t",
  time: decodeTime,
  json: (text): unknown => JSON.parse(text),
  bytes: (text) => Buffer.from(text.slice(2), "hex"),
};

/** int8 too: whatever we count stays below 2^53; a value above is an error, never a rounded number. */
function decodeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new Error(`number beyond 2^53: ${text}`);
  return value;
}

/** `2026-01-02 03:04:05.123456+00` (the session's zone is UTC), down to milliseconds. */
function decodeTime(text: string): Date {
  const utc = text.endsWith("+00") ? `${text.slice(0, 10)}T${text.slice(11, -3)}Z` : text;
  const ms = Date.parse(utc);
  if (Number.isNaN(ms)) throw new Error(`not a time that we can hold: ${text}`);
  return new Date(ms);
}

/** One-dimensional arrays: `{a,"b c",NULL}`. */
export function decodeArray(text: string, element: Decode): unknown[] {
  const out: unknown[] = [];
  let at = 1;
  while (at < text.length - 1) {
    if (text[at] === ",") at++;
    let item = "";
    const quoted = text[at] === '"';
    if (quoted) at++;
    for (; at < text.length - 1 || quoted; at++) {
      const char = text[at];
      if (char === undefined) throw new Error(`broken array: ${text}`);
      if (char === "\\") item += text[++at] ?? "";
      else if (quoted ? char === '"' : char === ",") break;
      else item += char;
    }
    if (quoted) at++;
    out.push(!quoted && item === "NULL" ? null : element(item));
  }
  return out;
}

function decoder(type: ColumnType): Decode {
  if (!type.endsWith("[]")) return scalars[isBase(type) ? type : "text"];
  const base = type.slice(0, -2);
  const element = scalars[isBase(base) ? base : "text"];
  return (text) => decodeArray(text, element);
}

function isBase(type: string): type is BaseType {
  return type in scalars;
}

export type RawRow = readonly (string | null)[];
export type DecodeRow = (row: RawRow) => Record<string, unknown>;

/** Built once per query. An embedded table all of whose columns are null (an outer join's miss) becomes null. */
export function rowDecoder(columns: Columns): DecodeRow {
  const steps: ((row: RawRow, out: Record<string, unknown>) => void)[] = [];
  let at = 0;
  for (const [name, type] of Object.entries(columns)) {
    const start = at;
    if (typeof type === "string") {
      const decode = decoder(type);
      steps.push((row, out) => {
        const text = row[start];
        out[name] = text == null ? null : decode(text);
      });
      at++;
    } else {
      const inner = rowDecoder(type);
      const count = Object.keys(type).length;
      steps.push((row, out) => {
        const part = row.slice(start, start + count);
        out[name] = part.every((text) => text === null) ? null : inner(part);
      });
      at += count;
    }
  }
  return (row) => {
    const out: Record<string, unknown> = {};
    for (const step of steps) step(row, out);
    return out;
  };
}

/** The argument's fields in the order of $1, $2, …; a field that is left out is NULL. */
export function encodeArgs(
  query: Pick<Query, "params" | "json">,
  arg: Readonly<Record<string, unknown>>,
): unknown[] {
  return query.params.map((name) => {
    const value = arg[name];
    if (value === undefined || value === null) return null;
    if (!query.json?.includes(name)) return encode(value);
    return Array.isArray(value) && query.json.includes(`${name}[]`)
      ? value.map((item) => JSON.stringify(item))
      : JSON.stringify(value);
  });
}

/** The driver would write dates in the process's time zone. */
export function encode(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(encode);
  return value;
}
