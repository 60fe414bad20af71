/** Conversions between HCL types, and the one type that several values agree on. */
import { formatNum, parseNum } from "./number.ts";
import * as t from "./type.ts";
import type { Type } from "./type.ts";
import * as v from "./value.ts";
import { ValueError, type Value } from "./value.ts";

function mismatch(want: Type, got: Value): ValueError {
  switch (want.kind) {
    case "string":
    case "number":
    case "bool":
      return new ValueError(`${want.kind} required, but have ${t.typeName(got.type)}`);
    default:
      return new ValueError(`${t.typeName(want)} required, but have ${t.typeName(got.type)}`);
  }
}

/** Converts as Terraform does; throws `ValueError`. Nulls and unknowns take the type, marks stay. */
export function convert(from: Value, to: Type): Value {
  if (to.kind === "dynamic") return from;
  if (t.sameType(from.type, to) && !hasOptional(to)) return from;
  if (from.content === null || from.content === undefined) {
    if (!convertible(from.type, to)) throw mismatch(to, from);
    return v.raw(settle(to), from.content, from.sensitive);
  }
  return v.mark(convertKnown(from, to), from.sensitive);
}

function hasOptional(type: Type): boolean {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return hasOptional(type.of);
    case "tuple":
      return type.items.some(hasOptional);
    case "object":
      return type.optional !== undefined || [...type.attributes.values()].some(hasOptional);
    default:
      return false;
  }
}

/** The type without its notes on optional attributes. */
export function settle(type: Type): Type {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return { kind: type.kind, of: settle(type.of) };
    case "tuple":
      return t.tuple(type.items.map(settle));
    case "object":
      return t.object(new Map([...type.attributes].map(([k, x]) => [k, settle(x)])));
    default:
      return type;
  }
}

function convertKnown(from: Value, to: Type): Value {
  switch (to.kind) {
    case "string":
      return v.str(toText(from, to));
    case "number": {
      if (v.isNum(from.content)) return v.num(from.content);
      const parsed = typeof from.content === "string" ? parseNum(from.content) : undefined;
      if (!parsed) {
        throw typeof from.content === "string" ? new ValueError("a number is required") : mismatch(to, from);
      }
      return v.num(parsed);
    }
    case "bool":
      if (typeof from.content === "boolean") return v.bool(from.content);
      if (from.content === "true" || from.content === "1") return v.bool(true);
      if (from.content === "false" || from.content === "0") return v.bool(false);
      throw typeof from.content === "string" ? new ValueError("a bool is required") : mismatch(to, from);
    case "list":
    case "set": {
      if (!isSequence(from.type)) throw mismatch(to, from);
      const of = to.of.kind === "dynamic" ? unifyValues(v.items(from)) : to.of;
      const converted = v.items(from).map((item, at) => inside(at, () => convert(item, of)));
      const settled = settle(of);
      return to.kind === "list" ? v.list(settled, converted) : v.set(settled, converted);
    }
    case "map": {
      if (from.type.kind !== "map" && from.type.kind !== "object") throw mismatch(to, from);
      const of = to.of.kind === "dynamic" ? unifyValues(v.items(from)) : to.of;
      const converted = [...v.entries(from)].map(
        ([key, item]) => [key, inside(key, () => convert(item, of))] as const,
      );
      return v.map(settle(of), converted);
    }
    case "tuple": {
      const items = v.items(from);
      if (!isSequence(from.type) || from.type.kind === "set" || items.length !== to.items.length) {
        throw mismatch(to, from);
      }
      return v.tuple(items.map((item, at) => inside(at, () => convert(item, to.items[at] ?? t.dynamic))));
    }
    case "object": {
      if (from.type.kind !== "map" && from.type.kind !== "object") throw mismatch(to, from);
      const given = v.entries(from);
      const out: [string, Value][] = [];
      for (const [name, type] of to.attributes) {
        const item = given.get(name);
        if (item) out.push([name, inside(name, () => convert(item, type))]);
        else if (to.optional?.has(name)) out.push([name, v.nullOf(settle(type))]);
        else throw new ValueError(`attribute ${JSON.stringify(name)} is required`);
      }
      return v.object(out);
    }
    case "dynamic":
      return from;
  }
}

function inside<T>(at: string | number, convertItem: () => T): T {
  try {
    return convertItem();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ValueError(`element ${typeof at === "number" ? at : JSON.stringify(at)}: ${error.message}`);
  }
}

function toText(from: Value, to: Type): string {
  const { content } = from;
  if (typeof content === "string") return content;
  if (typeof content === "boolean") return String(content);
  if (v.isNum(content)) return formatNum(content);
  throw mismatch(to, from);
}

export const isSequence = (type: Type): boolean =>
  type.kind === "list" || type.kind === "set" || type.kind === "tuple";
export const isMapping = (type: Type): boolean => type.kind === "map" || type.kind === "object";

/** Whether a value of one type may convert to the other at all (its content may still not). */
export function convertible(from: Type, to: Type): boolean {
  if (from.kind === "dynamic" || to.kind === "dynamic" || t.sameType(from, to)) return true;
  switch (to.kind) {
    case "string":
      return t.isPrimitive(from);
    case "number":
    case "bool":
      return from.kind === "string";
    case "list":
    case "set":
      if (from.kind === "list" || from.kind === "set") return convertible(from.of, to.of);
      return from.kind === "tuple" && from.items.every((item) => convertible(item, to.of));
    case "map":
      if (from.kind === "map") return convertible(from.of, to.of);
      return (
        from.kind === "object" && [...from.attributes.values()].every((item) => convertible(item, to.of))
      );
    case "tuple":
      return (
        from.kind === "tuple" &&
        from.items.length === to.items.length &&
        from.items.every((item, at) => convertible(item, to.items[at] ?? t.dynamic))
      );
    case "object":
      if (from.kind === "map") return true;
      return (
        from.kind === "object" &&
        [...to.attributes].every(([name, type]) => {
          const given = from.attributes.get(name);
          return given ? convertible(given, type) : to.optional?.has(name) === true;
        })
      );
  }
}

/** The type that all convert to, or undefined: equal types, else string before number or bool, else collections. */
export function unify(types: readonly Type[]): Type | undefined {
  const [first, ...rest] = types;
  if (!first) return t.dynamic;
  let result: Type = first;
  for (const type of rest) {
    const next = unifyPair(result, type);
    if (!next) return undefined;
    result = next;
  }
  return result;
}

export function unifyValues(values: readonly Value[]): Type {
  const type = unify(values.map((item) => item.type));
  if (!type) throw new ValueError("all list elements must have the same type");
  return type;
}

function unifyPair(a: Type, b: Type): Type | undefined {
  if (t.sameType(a, b)) return a;
  if (a.kind === "dynamic") return b;
  if (b.kind === "dynamic") return a;
  if (t.isPrimitive(a) && t.isPrimitive(b)) {
    return a.kind === "string" || b.kind === "string" ? t.string : undefined;
  }
  if (a.kind === "tuple" && b.kind === "tuple" && a.items.length === b.items.length) {
    const parts = a.items.map((item, at) => unifyPair(item, b.items[at] ?? t.dynamic));
    return parts.every((part) => part !== undefined) ? t.tuple(parts) : undefined;
  }
  if (isSequence(a) && isSequence(b)) {
    const of = unify([...elementTypes(a), ...elementTypes(b)]);
    if (!of) return undefined;
    return a.kind === "set" && b.kind === "set" ? t.set(of) : t.list(of);
  }
  if (a.kind === "object" && b.kind === "object") {
    if (
      a.attributes.size === b.attributes.size &&
      [...a.attributes.keys()].every((k) => b.attributes.has(k))
    ) {
      const out = new Map<string, Type>();
      for (const [k, x] of a.attributes) {
        const part = unifyPair(x, b.attributes.get(k) ?? t.dynamic);
        if (!part) return undefined;
        out.set(k, part);
      }
      return t.object(out);
    }
  }
  if (isMapping(a) && isMapping(b)) {
    const of = unify([...elementTypes(a), ...elementTypes(b)]);
    return of ? t.map(of) : undefined;
  }
  return undefined;
}

function elementTypes(type: Type): readonly Type[] {
  switch (type.kind) {
    case "list":
    case "set":
    case "map":
      return [type.of];
    case "tuple":
      return type.items;
    case "object":
      return [...type.attributes.values()];
    default:
      return [];
  }
}

/** The text of a primitive; throws for null, unknown and containers. */
export function asText(from: Value): string {
  if (from.content === null) throw new ValueError("argument must not be null");
  const { content } = convert(from, t.string);
  if (typeof content !== "string") throw new ValueError("string required");
  return content;
}

export function asBool(from: Value): boolean {
  if (from.content === null) throw new ValueError("argument must not be null");
  const { content } = convert(from, t.bool);
  if (typeof content !== "boolean") throw new ValueError("bool required");
  return content;
}
