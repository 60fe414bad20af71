/** `type = object({ a = optional(string, "x") })`: a type, and the defaults of its optional attributes. */
import { convert } from "../cty/convert.ts";
import * as t from "../cty/type.ts";
import type { Type } from "../cty/type.ts";
import * as v from "../cty/value.ts";
import type { Value } from "../cty/value.ts";
import { type Expression, rangeOf } from "../hcl/ast.ts";
import { HclError } from "../hcl/source.ts";

export interface Constraint {
  readonly type: Type;
  readonly defaults: Defaults;
}

interface Defaults {
  /** Of this object's optional attributes. */
  readonly values: ReadonlyMap<string, Value>;
  readonly attributes: ReadonlyMap<string, Defaults>;
  readonly element?: Defaults;
}

const none: Defaults = { values: new Map(), attributes: new Map() };
const primitives: Readonly<Record<string, Type>> = {
  string: t.string,
  number: t.number,
  bool: t.bool,
  any: t.dynamic,
};

/** Default values are literals: `evaluate` gets their expressions. Throws `HclError`. */
export function readConstraint(
  expression: Expression,
  evaluate: (expression: Expression) => Value,
  depth = 0,
): Constraint {
  const refuse = (detail: string): never => {
    throw new HclError("Invalid type specification", detail, rangeOf(expression));
  };
  if (depth > 50) return refuse("The type is nested too deeply.");
  if (expression.kind === "wrap") return readConstraint(expression.inner, evaluate, depth + 1);
  if (expression.kind === "variable") {
    const type = Object.hasOwn(primitives, expression.name) ? primitives[expression.name] : undefined;
    if (type) return { type, defaults: none };
    if (["list", "set", "map"].includes(expression.name)) return collection(expression.name, t.dynamic, none);
  }
  // Old templates quote their types.
  if (expression.kind === "literal" && typeof expression.value.content === "string") {
    const word = expression.value.content;
    if (word === "string") return { type: t.string, defaults: none };
    if (word === "list" || word === "map") return collection(word, t.string, none);
  }
  if (expression.kind !== "call") return refuse("This is not a type.");
  const [arg] = expression.args;
  if (!arg) return refuse(`The ${expression.name} type needs an argument.`);
  switch (expression.name) {
    case "list":
    case "set":
    case "map": {
      const inner = readConstraint(arg, evaluate, depth + 1);
      return collection(expression.name, inner.type, inner.defaults);
    }
    case "tuple":
      if (arg.kind !== "tuple") return refuse("A tuple type needs a list of types.");
      return {
        type: t.tuple(arg.items.map((item) => readConstraint(item, evaluate, depth + 1).type)),
        defaults: none,
      };
    case "object":
      if (arg.kind !== "object") return refuse("An object type needs its attributes.");
      return readObject(arg, evaluate, depth);
    default:
      return refuse(`There is no type ${JSON.stringify(expression.name)}.`);
  }
}

function collection(kind: string, of: Type, element: Defaults): Constraint {
  const type: Type = kind === "list" ? t.list(of) : kind === "set" ? t.set(of) : t.map(of);
  return { type, defaults: element === none ? none : { ...none, element } };
}

function readObject(
  arg: Extract<Expression, { kind: "object" }>,
  evaluate: (expression: Expression) => Value,
  depth: number,
): Constraint {
  const attributes = new Map<string, Type>();
  const optional = new Set<string>();
  const values = new Map<string, Value>();
  const deeper = new Map<string, Defaults>();
  for (const { key, value } of arg.items) {
    const name = key.kind === "literal" && typeof key.value.content === "string" ? key.value.content : "";
    const isOptional = value.kind === "call" && value.name === "optional";
    const [given = value, fallback] = isOptional ? value.args : [value];
    const inner = readConstraint(given, evaluate, depth + 1);
    attributes.set(name, inner.type);
    if (isOptional) optional.add(name);
    if (fallback) values.set(name, convert(evaluate(fallback), inner.type));
    if (inner.defaults !== none) deeper.set(name, inner.defaults);
  }
  const type: Type = optional.size > 0 ? { kind: "object", attributes, optional } : t.object(attributes);
  return { type, defaults: values.size + deeper.size > 0 ? { values, attributes: deeper } : none };
}

/** Fills missing and null attributes, then converts. Throws `ValueError`. */
export function applyConstraint(value: Value, constraint: Constraint): Value {
  return convert(fill(value, constraint.defaults), constraint.type);
}

function fill(value: Value, defaults: Defaults): Value {
  if (defaults === none || !v.isContainer(value)) return value;
  if (defaults.element) {
    const { element } = defaults;
    const rebuilt =
      value.content instanceof Map
        ? v.object([...v.entries(value)].map(([key, item]) => [key, fill(item, element)] as const))
        : v.tuple(v.items(value).map((item) => fill(item, element)));
    return v.mark(rebuilt, value.sensitive);
  }
  if (!(value.content instanceof Map)) return value;
  const out = new Map<string, Value>(v.entries(value));
  for (const [name, fallback] of defaults.values) {
    const given = out.get(name);
    if (!given || given.content === null) out.set(name, fallback);
  }
  for (const [name, inner] of defaults.attributes) {
    const given = out.get(name);
    if (given) out.set(name, fill(given, inner));
  }
  return v.mark(v.object(out), value.sensitive);
}
