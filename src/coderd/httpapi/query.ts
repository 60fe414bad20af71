/** Query parameters of an endpoint: text → values, all failing ones in one 400. */
import { parseUuid } from "#codersdk/uuid.ts";
import { parseTime } from "#codersdk/wire-decode.ts";
import type { Endpoint, QueryKind, QueryOf } from "#codersdk/endpoint.ts";
import type { ValidationError } from "#codersdk/response.ts";
import { parseDuration } from "#util/duration.ts";
import { Invalid } from "../errors.ts";

export const trueTexts: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
export const falseTexts: ReadonlySet<string> = new Set(["0", "f", "F", "FALSE", "false", "False"]);

class BadValue extends Error {}

type Read = (values: readonly string[]) => unknown;

const one =
  (absent: unknown, read: (text: string) => unknown): Read =>
  ([text = ""]) =>
    text === "" ? absent : read(text);

function readBool(text: string): boolean {
  if (trueTexts.has(text)) return true;
  if (falseTexts.has(text)) return false;
  throw new BadValue("must be a valid boolean");
}

const integerUpTo =
  (max: number) =>
  (text: string): number => {
    if (!/^\+?\d{1,19}$/.test(text) || Number(text) > max) {
      throw new BadValue("must be a valid 32-bit integer that is not negative");
    }
    return Number(text);
  };

function readInt64(text: string): number {
  if (!/^[+-]?\d{1,19}$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw new BadValue("must be a valid integer");
  }
  return Number(text);
}

function orBad<T>(what: string, parse: (text: string) => T | undefined): (text: string) => T {
  return (text) => {
    const value = parse(text);
    if (value === undefined) throw new BadValue(`must be a valid ${what}`);
    return value;
  };
}

function durationMs(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}

const split = (values: readonly string[]): string[] =>
  values.flatMap((value) => value.split(",")).filter((part) => part !== "");

const readUuid = orBad("uuid", parseUuid);

const readers: Readonly<Record<QueryKind, Read>> = {
  string: ([text = ""]) => text,
  bool: one(false, readBool),
  optionalBool: one(undefined, readBool),
  present: (values) => values.length > 0,
  int: one(0, integerUpTo(2 ** 31 - 1)),
  int64: one(0, readInt64),
  uuid: one(undefined, readUuid),
  uuids: (values) => split(values).map((text) => readUuid(text)),
  strings: split,
  time: one(
    undefined,
    orBad("time (RFC 3339)", (text) => parseTime(text.toUpperCase())),
  ),
  durationMs: one(undefined, orBad("duration", durationMs)),
};

/** Read by the layers below, so no endpoint declares them. */
const everywhere = new Set(["coder_session_token", "access_token"]);

/** Throws `Invalid` with one validation per failing parameter. */
export function readQuery<E extends Endpoint>(endpoint: E, search: URLSearchParams): QueryOf<E> {
  const out: Record<string, unknown> = {};
  const validations: ValidationError[] = [];
  const kinds = endpoint.query ?? {};
  for (const [name, kind] of Object.entries(kinds)) {
    try {
      out[name] = readers[kind](search.getAll(name));
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      validations.push({ field: name, detail: `Query param "${name}" ${error.message}` });
    }
  }
  if (endpoint.strictQuery) {
    for (const name of new Set(search.keys())) {
      if (name in kinds || everywhere.has(name)) continue;
      validations.push({ field: name, detail: `"${name}" is not a valid query param` });
    }
  }
  if (validations.length > 0) throw new Invalid("Query parameters have invalid values.", { validations });
  // Every name of `endpoint.query` was read by the reader of its kind.
  return out as QueryOf<E>;
}
