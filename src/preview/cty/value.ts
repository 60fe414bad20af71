/**
 * Values of HCL expressions: typed, possibly null, unknown or sensitive. Immutable. Lists, sets and tuples hold arrays,
 * maps and objects hold `Map`s in key order; sets are kept without duplicates in a fixed order.
 */
import { compare, formatNum, fromInt, fromNumber, type Num } from "./number.ts";
import * as t from "./type.ts";
import type { Type } from "./type.ts";

export type Content = string | boolean | Num | readonly Value[] | ReadonlyMap<string, Value>;

export interface Value {
  readonly type: Type;
  /** `null` is HCL's null, `undefined` is unknown. */
  readonly content: Content | null | undefined;
  readonly sensitive: boolean;
}

/** What goes wrong while evaluating; the evaluator adds the place. */
export class ValueError extends Error {
  override name = "ValueError";
  /** Index of the function argument at fault. */
  readonly argument: number | undefined;
  constructor(message: string, argument?: number) {
    super(message);
    this.argument = argument;
  }
}

const value = (type: Type, content: Content | null | undefined, sensitive = false): Value => ({
  type,
  content,
  sensitive,
});

export const str = (text: string): Value => value(t.string, text);
export const num = (n: Num): Value => value(t.number, n);
export const int = (n: number | bigint): Value => value(t.number, fromInt(n));
export const double = (n: number): Value => value(t.number, fromNumber(n));
export const bool = (b: boolean): Value => value(t.bool, b);
export const nullOf = (type: Type = t.dynamic): Value => value(type, null);
export const unknownOf = (type: Type = t.dynamic): Value => value(type, undefined);

export const tuple = (items: readonly Value[]): Value =>
  value(t.tuple(items.map((item) => item.type)), items);

export function object(entries: Iterable<readonly [string, Value]>): Value {
  const sorted = t.sortedEntries(new Map(entries));
  return value(t.object(new Map(sorted.map(([k, v]) => [k, v.type]))), new Map(sorted));
}

/** Items must be of the type already (see convert.ts). */
export const list = (of: Type, items: readonly Value[]): Value => value(t.list(of), items);
export const map = (of: Type, entries: Iterable<readonly [string, Value]>): Value =>
  value(t.map(of), new Map(t.sortedEntries(new Map(entries))));

export function set(of: Type, items: readonly Value[]): Value {
  const sensitive = items.some(deepSensitive);
  const plain = sensitive ? items.map(unmarkDeep) : items;
  const known = plain.filter(isWhollyKnown);
  const seen = new Map<string, Value>();
  for (const item of known) seen.set(hashKey(item), item);
  const ordered = [...seen.values()].sort(setOrder);
  return value(t.set(of), [...ordered, ...plain.filter((item) => !isWhollyKnown(item))], sensitive);
}

/** A value of this type and content, as given. */
export const raw = (type: Type, content: Content | null | undefined, sensitive = false): Value =>
  value(type, content, sensitive);

export const isNull = (v: Value): boolean => v.content === null;

export function items(v: Value): readonly Value[] {
  const { content } = v;
  if (Array.isArray(content)) return content;
  if (content instanceof Map) return [...content.values()];
  return [];
}

export function entries(v: Value): ReadonlyMap<string, Value> {
  return v.content instanceof Map ? v.content : new Map<string, Value>();
}

export function isNum(content: Value["content"]): content is Num {
  return typeof content === "object" && content !== null && "m" in content;
}

export function isWhollyKnown(v: Value): boolean {
  if (v.content === undefined) return false;
  return isContainer(v) ? items(v).every(isWhollyKnown) : true;
}

export function isContainer(v: Value): boolean {
  return Array.isArray(v.content) || v.content instanceof Map;
}

export function deepSensitive(v: Value): boolean {
  return v.sensitive || (isContainer(v) && items(v).some(deepSensitive));
}

export const mark = (v: Value, sensitive = true): Value =>
  sensitive && !v.sensitive ? { type: v.type, content: v.content, sensitive: true } : v;

export const unmark = (v: Value): Value =>
  v.sensitive ? { type: v.type, content: v.content, sensitive: false } : v;

export function unmarkDeep(v: Value): Value {
  if (!deepSensitive(v)) return v;
  const { content } = v;
  if (Array.isArray(content)) return value(v.type, content.map(unmarkDeep));
  if (content instanceof Map) return value(v.type, new Map([...content].map(([k, x]) => [k, unmarkDeep(x)])));
  return value(v.type, content);
}

/** Equal in type-independent content; both must be wholly known. */
export function sameContent(a: Value, b: Value): boolean {
  if (a.content === null || b.content === null) return a.content === b.content;
  if (isNum(a.content) && isNum(b.content)) return compare(a.content, b.content) === 0;
  if (Array.isArray(a.content) && Array.isArray(b.content)) {
    const right: readonly Value[] = b.content;
    return (
      a.content.length === right.length &&
      a.content.every((item, at) => {
        const other = right[at];
        return other !== undefined && sameContent(item, other);
      })
    );
  }
  if (a.content instanceof Map && b.content instanceof Map) {
    if (a.content.size !== b.content.size) return false;
    for (const [key, item] of a.content) {
      const other = b.content.get(key);
      if (other === undefined || !sameContent(item, other)) return false;
    }
    return true;
  }
  return a.content === b.content;
}

function hashKey(v: Value): string {
  const { content } = v;
  if (content === null) return "null";
  if (content === undefined) return "?";
  if (typeof content === "string") return JSON.stringify(content);
  if (typeof content === "boolean") return String(content);
  if (Array.isArray(content)) return `[${content.map(hashKey).join(",")}]`;
  if (content instanceof Map) {
    return `{${[...content].map(([k, x]) => `${JSON.stringify(k)}:${hashKey(x)}`).join(",")}}`;
  }
  return isNum(content) ? formatNum(content) : "";
}

/** Strings by bytes, numbers by size, false before true; everything else by its text, only so that it is stable. */
function setOrder(a: Value, b: Value): number {
  if (typeof a.content === "string" && typeof b.content === "string") {
    return t.compareText(a.content, b.content);
  }
  if (isNum(a.content) && isNum(b.content)) return compare(a.content, b.content);
  if (typeof a.content === "boolean" && typeof b.content === "boolean") {
    return Number(a.content) - Number(b.content);
  }
  return t.compareText(hashKey(a), hashKey(b));
}
