/** Expressions → values. Throws `HclError` with the place; unknown parts make unknown results, sensitive ones mark them. */
import { asBool, asText, convert, isMapping, isSequence, unify } from "../cty/convert.ts";
import * as t from "../cty/type.ts";
import { toSafeInt } from "../cty/number.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import { type Expression, rangeOf } from "./ast.ts";
import { callFunction } from "./call.ts";
import { binary, unary } from "./operators.ts";
import type { Scope } from "./scope.ts";
import { HclError } from "./source.ts";

const maxTextLength = 16 * 1024 * 1024;

/** Names that `for` binds, and the item of a splat. */
export interface Frame {
  readonly names: Readonly<Record<string, Value>>;
  readonly item?: Value;
  readonly outer?: Frame;
}

function bound(frame: Frame, name: string): Value | undefined {
  for (let at: Frame | undefined = frame; at; at = at.outer) {
    if (Object.hasOwn(at.names, name)) return at.names[name];
  }
  return undefined;
}

const noFrame: Frame = { names: {} };

export function evaluate(expression: Expression, scope: Scope, frame: Frame = noFrame): Value {
  if (!scope.budget.spend(1)) {
    throw new HclError("Evaluation too expensive", "The template takes too many steps.", rangeOf(expression));
  }
  try {
    return step(expression, scope, frame);
  } catch (error) {
    if (error instanceof ValueError) {
      throw new HclError(summaryOf(expression), sentence(error.message), rangeOf(expression));
    }
    throw error;
  }
}

function summaryOf(expression: Expression): string {
  switch (expression.kind) {
    case "call":
      return "Error in function call";
    case "binary":
    case "unary":
      return "Invalid operand";
    case "index":
      return "Invalid index";
    case "attribute":
      return "Unsupported attribute";
    case "conditional":
      return "Invalid condition";
    case "template":
      return "Invalid template interpolation value";
    default:
      return "Invalid expression";
  }
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function step(expression: Expression, scope: Scope, frame: Frame): Value {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "wrap":
      return evaluate(expression.inner, scope, frame);
    case "template":
      return template(expression.parts.map((part) => evaluate(part, scope, frame)));
    case "variable":
    case "attribute":
      return traverse(expression, scope, frame);
    case "index":
      return index(evaluate(expression.of, scope, frame), evaluate(expression.key, scope, frame));
    case "item":
      return frame.item ?? v.unknownOf();
    case "splat":
      return splat(expression, scope, frame);
    case "call":
      return callFunction(expression, scope, (arg) => evaluate(arg, scope, frame));
    case "unary":
      return unary(expression.op, evaluate(expression.of, scope, frame));
    case "binary":
      return binary(
        expression.op,
        evaluate(expression.left, scope, frame),
        evaluate(expression.right, scope, frame),
      );
    case "conditional":
      return conditional(expression, scope, frame);
    case "tuple":
      return v.tuple(expression.items.map((item) => evaluate(item, scope, frame)));
    case "object":
      return objectOf(expression, scope, frame);
    case "for":
      return forEach(expression, scope, frame);
  }
}

/** Joins the parts of a template. */
function template(parts: readonly Value[]): Value {
  let text = "";
  let unknown = false;
  let sensitive = false;
  for (const part of parts) {
    sensitive ||= part.sensitive;
    if (part.content === undefined) {
      unknown = true;
      continue;
    }
    if (part.content === null) {
      throw new ValueError("the expression result is null, cannot include a null value in a string template");
    }
    if (v.isContainer(part)) {
      throw new ValueError(
        `cannot include the given value in a string template: string required, but have ${t.typeName(part.type)}`,
      );
    }
    text += asText(part);
    if (text.length > maxTextLength) throw new ValueError("the text is too long");
  }
  return v.mark(unknown ? v.unknownOf(t.string) : v.str(text), sensitive);
}

/** `a.b.c`: the scope resolves as much of the path as it names itself, the rest are attributes of the value. */
function traverse(
  expression: Extract<Expression, { kind: "variable" | "attribute" }>,
  scope: Scope,
  frame: Frame,
): Value {
  const path: string[] = [];
  let root: Expression = expression;
  while (root.kind === "attribute") {
    path.unshift(root.name);
    root = root.of;
  }
  if (root.kind !== "variable") {
    if (expression.kind !== "attribute") throw new ValueError("not a reference");
    return attribute(evaluate(expression.of, scope, frame), expression.name);
  }
  const local = bound(frame, root.name);
  const found = local ? { value: local, used: 0 } : scope.lookup(root.name, path, rangeOf(expression));
  if (!found) {
    throw new HclError(
      "Invalid reference",
      `There is no ${JSON.stringify([root.name, ...path].join("."))} here.`,
      rangeOf(expression),
    );
  }
  return path.slice(found.used).reduce(attribute, found.value);
}

export function attribute(of: Value, name: string): Value {
  if (of.content === null) {
    throw new ValueError(`attempt to get attribute ${JSON.stringify(name)} from null value`);
  }
  if (of.content === undefined) {
    if (of.type.kind === "object") {
      const type = of.type.attributes.get(name);
      if (!type) throw new ValueError(`this object does not have an attribute named ${JSON.stringify(name)}`);
      return v.mark(v.unknownOf(type), of.sensitive);
    }
    if (of.type.kind === "map") return v.mark(v.unknownOf(of.type.of), of.sensitive);
    if (of.type.kind === "dynamic") return v.mark(v.unknownOf(), of.sensitive);
  }
  if (!isMapping(of.type)) {
    throw new ValueError(`cannot access attribute ${JSON.stringify(name)} of a ${t.typeName(of.type)}`);
  }
  const item = v.entries(of).get(name);
  if (item) return v.mark(item, of.sensitive);
  throw new ValueError(
    of.type.kind === "map"
      ? `the given key ${JSON.stringify(name)} does not identify an element in this map`
      : `this object does not have an attribute named ${JSON.stringify(name)}`,
  );
}

export function index(of: Value, key: Value): Value {
  const sensitive = of.sensitive || key.sensitive;
  if (of.content === null) throw new ValueError("attempt to index null value");
  if (key.content === null) throw new ValueError("can't use a null value as an indexing key");
  if (of.type.kind === "set") {
    throw new ValueError(
      "elements of a set are identified only by their value and don't have any separate index",
    );
  }
  if (of.content === undefined || key.content === undefined) {
    return v.mark(
      v.unknownOf(of.type.kind === "list" || of.type.kind === "map" ? of.type.of : t.dynamic),
      sensitive,
    );
  }
  if (isSequence(of.type)) {
    const at = convert(key, t.number).content;
    const position = v.isNum(at) ? toSafeInt(at) : undefined;
    const item = position === undefined || position < 0 ? undefined : v.items(of)[position];
    if (!item) throw new ValueError("the given key does not identify an element in this collection value");
    return v.mark(item, sensitive);
  }
  if (isMapping(of.type)) {
    const item = v.entries(of).get(asText(key));
    if (!item) {
      throw new ValueError(
        `the given key ${JSON.stringify(asText(key))} does not identify an element in this collection value`,
      );
    }
    return v.mark(item, sensitive);
  }
  throw new ValueError("this value does not have any indices");
}

function splat(expression: Extract<Expression, { kind: "splat" }>, scope: Scope, frame: Frame): Value {
  const of = evaluate(expression.of, scope, frame);
  if (of.content === null) return v.mark(v.tuple([]), of.sensitive);
  const apply = (item: Value) => evaluate(expression.each, scope, { names: {}, item, outer: frame });
  if (of.content === undefined) {
    if (of.type.kind === "dynamic") return v.mark(v.unknownOf(), of.sensitive);
    if (isSequence(of.type) && of.type.kind !== "tuple" && "of" in of.type) {
      return v.mark(v.unknownOf(t.list(apply(v.unknownOf(of.type.of)).type)), of.sensitive);
    }
    return v.mark(v.unknownOf(), of.sensitive);
  }
  const results = isSequence(of.type) ? v.items(of).map(apply) : [apply(v.unmark(of))];
  const tuple = v.tuple(results);
  const listed =
    of.type.kind === "list" || of.type.kind === "set" ? convert(tuple, t.list(t.dynamic)) : tuple;
  return v.mark(listed, of.sensitive);
}

function conditional(
  expression: Extract<Expression, { kind: "conditional" }>,
  scope: Scope,
  frame: Frame,
): Value {
  const condition = evaluate(expression.condition, scope, frame);
  if (condition.content === null) {
    throw new ValueError("the condition value is null; conditions must either be true or false");
  }
  if (expression.directive) {
    if (condition.content === undefined) return v.mark(v.unknownOf(t.string), condition.sensitive);
    return v.mark(
      evaluate(asBool(condition) ? expression.yes : expression.no, scope, frame),
      condition.sensitive,
    );
  }
  if (condition.content === undefined) {
    const yes = evaluate(expression.yes, scope, frame);
    const no = evaluate(expression.no, scope, frame);
    return v.mark(v.unknownOf(unify([yes.type, no.type]) ?? t.dynamic), condition.sensitive);
  }
  const chosen = asBool(condition);
  const result = evaluate(chosen ? expression.yes : expression.no, scope, frame);
  // The other branch gives its type only; where it cannot be evaluated, the chosen one decides alone.
  const other = tryEvaluate(chosen ? expression.no : expression.yes, scope, frame);
  if (!other || other.type.kind === "dynamic") return v.mark(result, condition.sensitive);
  const type = unify(chosen ? [result.type, other.type] : [other.type, result.type]);
  if (!type) {
    if (
      result.content === null ||
      other.content === null ||
      !(isSequence(result.type) || isMapping(result.type))
    ) {
      throw new ValueError(
        `the true and false result expressions must have consistent types: one is ${t.typeName(result.type)}, the other ${t.typeName(other.type)}`,
      );
    }
    return v.mark(result, condition.sensitive);
  }
  return v.mark(convert(result, type), condition.sensitive);
}

/** For `try`, `can` and the branch not taken: undefined instead of an error. */
export function tryEvaluate(expression: Expression, scope: Scope, frame: Frame): Value | undefined {
  try {
    return evaluate(expression, scope, frame);
  } catch (error) {
    if (error instanceof HclError && error.diagnostic.summary !== "Evaluation too expensive") {
      return undefined;
    }
    throw error;
  }
}

function objectOf(expression: Extract<Expression, { kind: "object" }>, scope: Scope, frame: Frame): Value {
  const out: [string, Value][] = [];
  let sensitive = false;
  for (const item of expression.items) {
    const key = evaluate(item.key, scope, frame);
    const value = evaluate(item.value, scope, frame);
    if (key.content === undefined) return v.unknownOf();
    if (key.content === null) throw new ValueError("can't use a null value as a key");
    sensitive ||= key.sensitive;
    out.push([asText(key), value]);
  }
  return v.mark(v.object(out), sensitive);
}

/** Key and value pairs as `for` and `for_each` see them. */
export function pairs(of: Value): [Value, Value][] {
  if (of.type.kind === "set") return v.items(of).map((item) => [item, item]);
  if (isSequence(of.type)) return v.items(of).map((item, at) => [v.int(at), item]);
  if (isMapping(of.type)) return [...v.entries(of)].map(([key, item]) => [v.str(key), item]);
  throw new ValueError(`a value of type ${t.typeName(of.type)} cannot be iterated`);
}

function forEach(expression: Extract<Expression, { kind: "for" }>, scope: Scope, frame: Frame): Value {
  const over = evaluate(expression.over, scope, frame);
  if (over.content === null) {
    throw new ValueError("a null value cannot be used as the collection in a for expression");
  }
  const { sensitive } = over;
  const unknown = () => v.mark(v.unknownOf(expression.directive ? t.string : t.dynamic), sensitive);
  if (over.content === undefined) return unknown();
  const listed: Value[] = [];
  const keyed = new Map<string, Value[]>();
  let marked = sensitive;
  for (const [key, value] of pairs(over)) {
    // Computed keys, so that a name such as __proto__ is one like others.
    const names: Record<string, Value> =
      expression.keyName === undefined
        ? { [expression.valueName]: v.mark(value, sensitive) }
        : { [expression.keyName]: v.mark(key, sensitive), [expression.valueName]: v.mark(value, sensitive) };
    const inner: Frame = { names, outer: frame, ...(frame.item ? { item: frame.item } : {}) };
    if (expression.condition) {
      const keep = evaluate(expression.condition, scope, inner);
      marked ||= keep.sensitive;
      if (keep.content === undefined) return unknown();
      if (!asBool(keep)) continue;
    }
    const result = evaluate(expression.value, scope, inner);
    if (!expression.key) {
      listed.push(result);
      continue;
    }
    const at = evaluate(expression.key, scope, inner);
    marked ||= at.sensitive;
    if (at.content === undefined) return unknown();
    const name = asText(at);
    const group = keyed.get(name);
    if (!group) keyed.set(name, [result]);
    else if (expression.group) group.push(result);
    else {
      throw new ValueError(
        `two different items produced the key ${JSON.stringify(name)}; add "..." after the value expression to group them`,
      );
    }
  }
  if (expression.directive) return v.mark(template(listed), marked);
  if (!expression.key) return v.mark(v.tuple(listed), marked);
  const items = [...keyed].map(([name, group]): [string, Value] => [
    name,
    expression.group ? v.tuple(group) : (group[0] ?? v.nullOf()),
  ]);
  return v.mark(v.object(items), marked);
}
