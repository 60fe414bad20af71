/**
 * The `q` language of lists (spec api §5.1): `name:value` elements and one free term. Pure; each list declares its keys
 * and turns the result into its own filter. Resolving names to ids is the list's work, not this one's.
 */
import { parseUuid } from "#codersdk/uuid.ts";
import { parseTime } from "#codersdk/wire-decode.ts";
import type { ValidationError } from "#codersdk/response.ts";
import { Invalid } from "../errors.ts";
import { falseTexts, trueTexts } from "./query.ts";

export type SearchKind =
  | "string"
  | "strings"
  | "bool"
  | "time"
  | "uuid"
  | "uuids"
  | "int"
  | readonly string[];

interface SearchValues {
  readonly string: string;
  readonly strings: readonly string[];
  readonly bool: boolean | undefined;
  readonly time: Date | undefined;
  readonly uuid: string | undefined;
  readonly uuids: readonly string[];
  readonly int: number | undefined;
}

/** A list of words is an enum: any number of them, each one of the words. */
export type SearchValue<K extends SearchKind> = K extends readonly (infer Word)[]
  ? readonly Word[]
  : K extends keyof SearchValues
    ? SearchValues[K]
    : never;

export interface SearchSpec<Keys extends Readonly<Record<string, SearchKind>>> {
  /** As in "Invalid user search query." */
  readonly what: string;
  readonly keys: Keys;
  /** Key that the free term stands for; without it a free term is an error of that name's own list. */
  readonly free: string;
  /** Most lists compare without case: the whole query is lower-cased first. */
  readonly keepCase?: true;
}

export type SearchResult<Keys extends Readonly<Record<string, SearchKind>>> = {
  readonly [K in keyof Keys]: SearchValue<Keys[K]>;
};

const maxLength = 4096;

/** `key:value` elements by key, in order; throws the validations as one list. */
export function splitQuery(query: string, free: string, failures: ValidationError[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const add = (key: string, value: string): void => {
    found.set(key, [...(found.get(key) ?? []), value]);
  };
  const freeTerms: string[] = [];
  for (const element of elements(query)) {
    const parts = splitOutsideQuotes(element, ":");
    const detail = elementProblem(element, parts);
    if (detail !== undefined) failures.push({ field: "q", detail });
    else if (parts.length === 1) freeTerms.push(unquote(element));
    else add(parts[0] ?? "", unquote(parts[1] ?? ""));
  }
  if (freeTerms.length > 0) add(free, freeTerms.join(" "));
  return found;
}

function elementProblem(element: string, parts: readonly string[]): string | undefined {
  if (element.startsWith(":") || element.endsWith(":")) {
    return `Query element ${JSON.stringify(element)} cannot start or end with ':'`;
  }
  return parts.length > 2 ? `Query element ${JSON.stringify(element)} can only contain 1 ':'` : undefined;
}

const elements = (query: string): string[] => splitOutsideQuotes(query, " ").filter((part) => part !== "");

const unquote = (text: string): string => text.replaceAll('"', "");

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let quoted = false;
  let part = "";
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    if (char === separator && !quoted) {
      parts.push(part);
      part = "";
    } else part += char;
  }
  parts.push(part);
  return parts;
}

/** Throws `Invalid` with every failing element. */
export function parseSearch<const Keys extends Readonly<Record<string, SearchKind>>>(
  query: string,
  spec: SearchSpec<Keys>,
): SearchResult<Keys> {
  const failures: ValidationError[] = [];
  if (query.length > maxLength) {
    failures.push({ field: "q", detail: `The query must be at most ${maxLength} characters long.` });
  }
  const text = spec.keepCase ? query : query.toLowerCase();
  const found =
    failures.length > 0 ? new Map<string, string[]>() : splitQuery(text.trim(), spec.free, failures);
  for (const key of found.keys()) {
    if (!(key in spec.keys)) {
      failures.push({ field: key, detail: `${JSON.stringify(key)} is not a valid query param` });
    }
  }
  const out: Record<string, unknown> = {};
  for (const [key, kind] of Object.entries(spec.keys)) {
    out[key] = read(key, kind, found.get(key) ?? [], failures);
  }
  if (failures.length > 0) {
    throw new Invalid(`Invalid ${spec.what} search query.`, { validations: failures });
  }
  // Each key was read by the reader of its kind.
  return out as SearchResult<Keys>;
}

function read(
  key: string,
  kind: SearchKind,
  values: readonly string[],
  failures: ValidationError[],
): unknown {
  const fail = (problem: string): undefined => {
    failures.push({ field: key, detail: `Query param ${JSON.stringify(key)} ${problem}` });
    return undefined;
  };
  const first = values[0];
  const many = values.flatMap((value) => value.split(",")).filter((value) => value !== "");
  if (typeof kind !== "string") {
    const bad = many.filter((value) => !kind.includes(value));
    if (bad.length > 0) fail(`has invalid values: ${bad.map((value) => JSON.stringify(value)).join(", ")}`);
    return many;
  }
  switch (kind) {
    case "string":
      return first ?? "";
    case "strings":
      return many;
    case "uuids":
      return many.map((value) => parseUuid(value) ?? fail(`must be a valid uuid: ${JSON.stringify(value)}`));
    case "uuid":
      return first === undefined ? undefined : (parseUuid(first) ?? fail("must be a valid uuid"));
    case "int":
      if (first === undefined) return undefined;
      return /^-?\d{1,15}$/.test(first) ? Number(first) : fail("must be a valid integer");
    case "time":
      return first === undefined
        ? undefined
        : (parseTime(first.toUpperCase()) ?? fail("must be a valid time (RFC 3339)"));
    case "bool":
      if (first === undefined) return undefined;
      return trueTexts.has(first) ? true : falseTexts.has(first) ? false : fail("must be a valid boolean");
  }
}
