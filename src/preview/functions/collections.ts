/** Lists, maps and objects. */
import { convert, isMapping, isSequence, unify, unifyValues } from "../cty/convert.ts";
import * as n from "../cty/number.ts";
import * as t from "../cty/type.ts";
import type { Type } from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import { equal } from "../hcl/operators.ts";
import type { Parameter } from "../hcl/scope.ts";
import {
  any,
  arg,
  define,
  type FunctionTable,
  intOf,
  number,
  numOf,
  stringList,
  texts,
  textsOf,
  textOf,
} from "./define.ts";

const partly: Parameter = { type: t.dynamic, unknown: true };
const lenient: Parameter = { type: t.dynamic, nullable: true };
const lenientUnknown: Parameter = { type: t.dynamic, nullable: true, unknown: true };
const maxItems = 1_000_000;

function sequence(value: Value, at = 0): readonly Value[] {
  if (!isSequence(value.type)) {
    throw new ValueError(`a list, set or tuple is required, not ${t.typeName(value.type)}`, at);
  }
  return v.items(value);
}

function mapping(value: Value, at = 0): ReadonlyMap<string, Value> {
  if (!isMapping(value.type)) {
    throw new ValueError(`a map or object is required, not ${t.typeName(value.type)}`, at);
  }
  return v.entries(value);
}

/** A list where the arguments were lists, a tuple where their items differ. */
function like(types: readonly Type[], items: readonly Value[]): Value {
  if (types.every((type) => type.kind === "list" || type.kind === "set")) {
    return convert(v.tuple(items), t.list(t.dynamic));
  }
  return v.tuple(items);
}

function lengthOf(value: Value): Value {
  if (value.content === undefined) {
    if (value.type.kind === "tuple") return v.int(value.type.items.length);
    if (value.type.kind === "object") return v.int(value.type.attributes.size);
    return v.unknownOf(t.number);
  }
  if (typeof value.content === "string") {
    return v.int([...new Intl.Segmenter("en", { granularity: "grapheme" }).segment(value.content)].length);
  }
  if (!v.isContainer(value)) {
    throw new ValueError("argument must be a string, a collection type, or a structural type", 0);
  }
  if (value.type.kind === "set" && !v.isWhollyKnown(value)) return v.unknownOf(t.number);
  return v.int(v.items(value).length);
}

function merge(args: readonly Value[]): Value {
  const given = args.filter((item) => item.content !== null);
  const out = new Map<string, Value>();
  for (const [at, item] of given.entries()) {
    if (item.content === undefined) return v.unknownOf();
    for (const [key, value] of mapping(item, at)) out.set(key, value);
  }
  const types = given.map((item) => item.type);
  const unified = types.length > 0 && types.every((type) => type.kind === "map") ? unify(types) : undefined;
  return unified?.kind === "map" ? convert(v.object(out), unified) : v.object(out);
}

function flatten(value: Value, depth = 0): Value[] {
  if (depth > 100) throw new ValueError("value is nested too deeply");
  return sequence(value).flatMap((item) =>
    isSequence(item.type) && item.content !== null && item.content !== undefined
      ? flatten(item, depth + 1)
      : [item],
  );
}

function distinct(items: readonly Value[], spend: (steps: number) => void): Value[] {
  const out: Value[] = [];
  for (const item of items) {
    spend(out.length + 1);
    if (!out.some((seen) => equal(seen, item) === true)) out.push(item);
  }
  return out;
}

function range(args: readonly Value[]): Value {
  const [start, end, given] =
    args.length === 1
      ? [n.zero, numOf(args[0]), undefined]
      : [numOf(args[0]), numOf(args[1]), args[2] ? numOf(args[2]) : undefined];
  const step = given ?? n.fromInt(n.compare(start, end) <= 0 ? 1 : -1);
  if (args.length > 3) throw new ValueError("range takes one to three arguments");
  if (step.m === 0n) throw new ValueError("step must not be zero");
  const up = step.m > 0n;
  const out: Value[] = [];
  for (let at = start; up ? n.compare(at, end) < 0 : n.compare(at, end) > 0; at = n.add(at, step)) {
    if (out.length >= 1024) {
      throw new ValueError(
        "more than 1024 values were generated; either decrease the difference between start and end or use a smaller step",
      );
    }
    out.push(v.num(at));
  }
  return v.list(t.number, out);
}

function lookup(args: readonly Value[]): Value {
  const key = textOf(convert(arg(args, 1), t.string));
  const found = mapping(arg(args, 0)).get(key);
  if (found) return found;
  if (args[2]) return args[2];
  throw new ValueError(`the given object has no attribute ${JSON.stringify(key)}`);
}

/** Elements that one of several given types agree on become that type. */
function coalesce(args: readonly Value[]): Value {
  const type = unify(args.map((item) => item.type));
  if (!type) throw new ValueError("all arguments must have the same type");
  for (const item of args) {
    if (item.content === undefined) return v.unknownOf(type);
    if (item.content === null) continue;
    const converted = convert(item, type);
    if (type.kind === "string" && converted.content === "") continue;
    return converted;
  }
  throw new ValueError("no non-null, non-empty-string arguments");
}

function element(list: Value, index: number): Value {
  const items = sequence(list);
  if (items.length === 0) throw new ValueError("cannot use element function with an empty list");
  if (index < 0) throw new ValueError("cannot use element function with a negative index");
  return items[index % items.length] ?? v.nullOf();
}

function slice(list: Value, from: number, to: number): Value {
  const items = sequence(list);
  if (from < 0) throw new ValueError("start index must not be less than zero", 1);
  if (to > items.length) {
    throw new ValueError(`end index must not be greater than the length of the list (${items.length})`, 2);
  }
  if (from > to) throw new ValueError("start index must not be greater than end index", 1);
  const cut = items.slice(from, to);
  return list.type.kind === "list" ? v.list(list.type.of, cut) : v.tuple(cut);
}

function zipmap(keys: readonly string[], values: Value): Value {
  const items = sequence(values, 1);
  if (keys.length !== items.length) {
    throw new ValueError(`number of keys (${keys.length}) does not match number of values (${items.length})`);
  }
  const pairs = keys.map((key, at) => [key, items[at] ?? v.nullOf()] as const);
  return values.type.kind === "list" ? v.map(values.type.of, pairs) : v.object(pairs);
}

function transpose(value: Value): Value {
  const out = new Map<string, string[]>();
  for (const [key, list] of mapping(value)) {
    for (const item of textsOf(list)) {
      const group = out.get(item);
      if (group) group.push(key);
      else out.set(item, [key]);
    }
  }
  return v.map(
    t.list(t.string),
    [...out].map(([key, group]) => [key, stringList(group.sort(t.compareText))] as const),
  );
}

function matchkeys(values: Value, keys: Value, search: Value): Value {
  const items = sequence(values);
  const by = sequence(keys, 1);
  if (items.length !== by.length) throw new ValueError("length of keys and values should be equal");
  const wanted = sequence(search, 2);
  const kept = items.filter((_item, at) => {
    const key = by[at];
    return key !== undefined && wanted.some((want) => equal(key, want) === true);
  });
  return like([values.type], kept);
}

function one(list: Value): Value {
  const items = sequence(list);
  if (items.length > 1) {
    throw new ValueError("must be a list, set, or tuple value with either zero or one elements", 0);
  }
  return items[0] ?? v.nullOf("of" in list.type ? list.type.of : t.dynamic);
}

function sum(list: Value): Value {
  const items = sequence(list);
  if (items.length === 0) throw new ValueError("cannot sum an empty list", 0);
  return v.num(items.map((item) => numOf(convert(item, t.number))).reduce(n.add, n.zero));
}

function every(list: Value, all: boolean): Value {
  let unknown = false;
  for (const item of v.items(list)) {
    if (item.content === undefined) unknown = true;
    else if (item.content === null || (item.content === true) !== all) return v.bool(!all);
  }
  return unknown ? v.unknownOf(t.bool) : v.bool(all);
}

export const collectionFunctions: FunctionTable = {
  length: define({ params: [partly], returns: t.number }, (args) => lengthOf(arg(args, 0))),
  keys: define({ params: [partly] }, (args) => {
    const of = arg(args, 0);
    if (of.content === undefined) return v.unknownOf();
    const keys = [...mapping(of).keys()];
    return of.type.kind === "map" ? stringList(keys) : v.tuple(keys.map(v.str));
  }),
  values: define({ params: [partly] }, (args) => {
    const of = arg(args, 0);
    if (of.content === undefined) return v.unknownOf();
    const values = [...mapping(of).values()];
    return of.type.kind === "map" ? v.list(of.type.of, values) : v.tuple(values);
  }),
  lookup: define({ params: [partly, any], rest: lenientUnknown }, (args) =>
    arg(args, 0).content === undefined ? v.unknownOf() : lookup(args),
  ),
  merge: define({ rest: lenientUnknown }, merge),
  concat: define({ params: [partly], rest: partly }, (args) => {
    if (args.some((item) => item.content === undefined)) return v.unknownOf();
    return like(
      args.map((item) => item.type),
      args.flatMap((item, at) => sequence(item, at)),
    );
  }),
  flatten: define({ params: [partly] }, (args) => {
    const of = arg(args, 0);
    return of.content === undefined ? v.unknownOf() : v.tuple(flatten(of));
  }),
  distinct: define({ params: [{ type: t.list(t.dynamic) }] }, (args, context) => {
    const of = arg(args, 0);
    const items = sequence(of);
    return convert(v.tuple(distinct(items, (steps) => context.spend(steps))), t.list(t.dynamic));
  }),
  compact: define({ params: [{ type: t.list(t.string) }], returns: t.list(t.string) }, (args) =>
    v.list(
      t.string,
      v.items(arg(args, 0)).filter((item) => item.content !== null && item.content !== ""),
    ),
  ),
  contains: define({ params: [any, lenient], returns: t.bool }, (args) =>
    v.bool(sequence(arg(args, 0)).some((item) => sameEnough(item, arg(args, 1)))),
  ),
  index: define({ params: [any, any], returns: t.number }, (args) => {
    const at = sequence(arg(args, 0)).findIndex((item) => sameEnough(item, arg(args, 1)));
    if (at < 0) throw new ValueError("item not found");
    return v.int(at);
  }),
  element: define({ params: [partly, number] }, (args) =>
    arg(args, 0).content === undefined ? v.unknownOf() : element(arg(args, 0), intOf(args[1])),
  ),
  slice: define({ params: [any, number, number] }, (args) =>
    slice(arg(args, 0), intOf(args[1]), intOf(args[2])),
  ),
  reverse: define({ params: [any] }, (args) => {
    const of = arg(args, 0);
    const items = sequence(of).toReversed();
    return of.type.kind === "tuple"
      ? v.tuple(items)
      : v.list("of" in of.type ? of.type.of : t.dynamic, items);
  }),
  sort: define({ params: [texts], returns: t.list(t.string) }, (args) =>
    stringList(textsOf(args[0]).sort(t.compareText)),
  ),
  chunklist: define({ params: [{ type: t.list(t.dynamic) }, number] }, (args) => {
    const items = sequence(arg(args, 0));
    const size = intOf(args[1]);
    if (size < 0) throw new ValueError("the size argument must be positive", 1);
    const chunks: Value[] = [];
    const of = arg(args, 0).type;
    for (let at = 0; at < items.length; at += size === 0 ? items.length : size) {
      chunks.push(v.raw(of, items.slice(at, at + (size === 0 ? items.length : size))));
    }
    return v.list(of, chunks);
  }),
  coalesce: define({ rest: lenientUnknown }, coalesce),
  coalescelist: define({ rest: lenientUnknown }, (args) => {
    for (const item of args) {
      if (item.content === undefined) return v.unknownOf();
      if (item.content !== null && v.items(item).length > 0) return item;
    }
    throw new ValueError("no non-null arguments");
  }),
  range: define({ rest: number, returns: t.list(t.number) }, (args, context) => {
    const made = range(args);
    context.spend(v.items(made).length);
    return made;
  }),
  zipmap: define({ params: [texts, any] }, (args) => zipmap(textsOf(args[0]), arg(args, 1))),
  transpose: define({ params: [{ type: t.map(t.list(t.string)) }] }, (args) => transpose(arg(args, 0))),
  matchkeys: define({ params: [any, any, any] }, (args) =>
    matchkeys(arg(args, 0), arg(args, 1), arg(args, 2)),
  ),
  one: define({ params: [any] }, (args) => one(arg(args, 0))),
  sum: define({ params: [any], returns: t.number }, (args) => sum(arg(args, 0))),
  alltrue: define({ params: [{ type: t.list(t.bool), unknown: true }], returns: t.bool }, (args) =>
    every(arg(args, 0), true),
  ),
  anytrue: define({ params: [{ type: t.list(t.bool), unknown: true }], returns: t.bool }, (args) =>
    every(arg(args, 0), false),
  ),
  list: define({ rest: any }, () => {
    throw new ValueError('the "list" function was removed; use tolist([ ... ])');
  }),
  map: define({ rest: any }, () => {
    throw new ValueError('the "map" function was removed; use tomap({ ... })');
  }),
  ...setFunctions(),
};

const sameEnough = (a: Value, b: Value): boolean => equal(a, b) === true;

function setFunctions(): FunctionTable {
  const sets: Parameter = { type: t.set(t.dynamic) };
  const combine = (
    args: readonly Value[],
    pick: (all: readonly (readonly Value[])[], same: (a: Value, b: Value) => boolean) => readonly Value[],
  ): Value => {
    const of = unify(args.map((item) => ("of" in item.type ? item.type.of : t.dynamic)));
    if (!of) throw new ValueError("given sets must all have compatible element types");
    const all = args.map((item) => v.items(convert(item, t.set(of))));
    return v.set(of, pick(all, v.sameContent));
  };
  return {
    setunion: define({ params: [sets], rest: sets }, (args) => combine(args, (all) => all.flat())),
    setintersection: define({ params: [sets], rest: sets }, (args) =>
      combine(args, ([first = [], ...others], same) =>
        first.filter((item) => others.every((other) => other.some((x) => same(item, x)))),
      ),
    ),
    setsubtract: define({ params: [sets, sets] }, (args) =>
      combine(args, ([first = [], second = []], same) =>
        first.filter((item) => !second.some((x) => same(item, x))),
      ),
    ),
    setproduct: define({ rest: any }, (args, context) => {
      if (args.length < 2) throw new ValueError("at least two arguments are required");
      const parts = args.map((item, at) => sequence(item, at));
      const total = parts.reduce((count, part) => count * part.length, 1);
      if (total > maxItems) throw new ValueError(`the product has ${total} elements`);
      context.spend(total);
      let rows: Value[][] = [[]];
      for (const part of parts) rows = rows.flatMap((row) => part.map((item) => [...row, item]));
      const tuples = rows.map((row) => v.tuple(row));
      if (args.every((item) => item.type.kind === "set")) {
        return v.set(t.tuple(args.map((item) => ("of" in item.type ? item.type.of : t.dynamic))), tuples);
      }
      return tuples.length === 0 ? v.list(t.dynamic, []) : v.list(unifyValues(tuples), tuples);
    }),
  };
}
