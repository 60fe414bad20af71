/** Reads attributes of a resource. Null and absent are the zero value; a value of another type is an error. */
import { isRecord, kind, type Values } from "./json.ts";

/** A template that cannot become resources. The message is for the person who wrote it. */
export class ConvertError extends Error {
  override readonly name = "ConvertError";
}

export interface Reader {
  string(name: string): string;
  bool(name: string): boolean;
  /** 32-bit integer. */
  int(name: string): number;
  bigint(name: string): bigint;
  strings(name: string): Record<string, string>;
  blocks(name: string): Reader[];
  has(name: string): boolean;
}

/** `prefix` opens the messages: `decode agent attributes`. */
export function reader(prefix: string, values: Values, path = ""): Reader {
  function fail(name: string, expected: string, value: unknown): never {
    throw new ConvertError(`${prefix}: ${path}${name} must be ${expected}: received ${kind(value)}`);
  }
  function scalar<T>(name: string, expected: string, zero: T, is: (value: unknown) => value is T): T {
    const value = values[name];
    if (value === undefined || value === null) return zero;
    return is(value) ? value : fail(name, expected, value);
  }
  const isString = (value: unknown): value is string => typeof value === "string";
  const isBool = (value: unknown): value is boolean => typeof value === "boolean";
  const isInteger = (value: unknown): value is number =>
    typeof value === "number" && Number.isSafeInteger(value);
  return {
    string: (name) => scalar(name, "a string", "", isString),
    bool: (name) => scalar(name, "a bool", false, isBool),
    int(name) {
      const value = scalar(name, "an integer", 0, isInteger);
      return value === (value | 0) ? value : fail(name, "a 32-bit integer", value);
    },
    bigint: (name) => BigInt(scalar(name, "an integer", 0, isInteger)),
    strings(name) {
      const value = values[name];
      if (value === undefined || value === null) return {};
      if (!isRecord(value)) return fail(name, "a map of strings", value);
      const out: Record<string, string> = {};
      for (const [key, item] of Object.entries(value)) {
        if (item === undefined || item === null) out[key] = "";
        else if (isString(item)) out[key] = item;
        else fail(`${name}["${key}"]`, "a string", item);
      }
      return out;
    },
    blocks(name) {
      const value = values[name];
      if (value === undefined || value === null) return [];
      if (!Array.isArray(value)) return fail(name, "a list of blocks", value);
      return value.map((item: unknown, i) => {
        const at = `${path}${name}[${i}]`;
        if (!isRecord(item)) {
          throw new ConvertError(`${prefix}: ${at} must be a block: received ${kind(item)}`);
        }
        return reader(prefix, item, `${at}.`);
      });
    },
    has: (name) => values[name] !== undefined && values[name] !== null,
  };
}

/** A string attribute, or undefined where it is null, unknown or of another type. */
export function knownString(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** `"a"`, `"a" and "b"`, `"a", "b" and "c"`. */
export function quotedList(names: readonly string[]): string {
  const quotes = names.map((name) => JSON.stringify(name));
  const last = quotes.pop() ?? "";
  return quotes.length === 0 ? last : `${quotes.join(", ")} and ${last}`;
}
