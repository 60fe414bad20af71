/** `!`, `-` and the binary operators. */
import { convert } from "../cty/convert.ts";
import * as n from "../cty/number.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import type { BinaryOp } from "./ast.ts";

export function unary(op: "!" | "-", of: Value): Value {
  const type = op === "!" ? t.bool : t.number;
  const operand = convert(of, type);
  if (operand.content === null) throw new ValueError("argument must not be null");
  if (operand.content === undefined) return v.mark(v.unknownOf(type), of.sensitive);
  if (op === "!") return v.mark(v.bool(operand.content !== true), of.sensitive);
  if (!v.isNum(operand.content)) throw new ValueError("number required");
  return v.mark(v.num(n.negate(operand.content)), of.sensitive);
}

export function binary(op: BinaryOp, left: Value, right: Value): Value {
  const sensitive = left.sensitive || right.sensitive;
  if (op === "==" || op === "!=") {
    const same = equal(left, right);
    return same === undefined
      ? v.mark(v.unknownOf(t.bool), sensitive)
      : v.mark(v.bool(same === (op === "==")), sensitive);
  }
  if (op === "&&" || op === "||") return v.mark(logical(op, left, right), sensitive);
  const comparison = op === "<" || op === ">" || op === "<=" || op === ">=";
  const a = convert(left, t.number).content;
  const b = convert(right, t.number).content;
  if (a === null || b === null) throw new ValueError("argument must not be null");
  if (a === undefined || b === undefined) {
    return v.mark(v.unknownOf(comparison ? t.bool : t.number), sensitive);
  }
  if (!v.isNum(a) || !v.isNum(b)) throw new ValueError("number required");
  return v.mark(comparison ? v.bool(compare(op, n.compare(a, b))) : v.num(arithmetic(op, a, b)), sensitive);
}

function logical(op: "&&" | "||", left: Value, right: Value): Value {
  const a = convert(left, t.bool).content;
  const b = convert(right, t.bool).content;
  if (a === null || b === null) throw new ValueError("argument must not be null");
  const decides = op === "||";
  if (a === decides || b === decides) return v.bool(decides);
  return a === undefined || b === undefined ? v.unknownOf(t.bool) : v.bool(!decides);
}

function compare(op: "<" | ">" | "<=" | ">=", order: number): boolean {
  switch (op) {
    case "<":
      return order < 0;
    case ">":
      return order > 0;
    case "<=":
      return order <= 0;
    case ">=":
      return order >= 0;
  }
}

function arithmetic(
  op: Exclude<BinaryOp, "&&" | "||" | "==" | "!=" | "<" | ">" | "<=" | ">=">,
  a: n.Num,
  b: n.Num,
): n.Num {
  try {
    switch (op) {
      case "+":
        return n.add(a, b);
      case "-":
        return n.subtract(a, b);
      case "*":
        return n.multiply(a, b);
      case "/":
        return n.divide(a, b);
      case "%":
        return n.modulo(a, b);
    }
  } catch (error) {
    if (error instanceof n.NumberRangeError) throw new ValueError(error.message);
    throw error;
  }
}

/** Undefined if it depends on something unknown. Values of different types are never equal, save numbers as text. */
export function equal(left: Value, right: Value): boolean | undefined {
  if (left.content === null && right.content !== undefined) return right.content === null;
  if (right.content === null && left.content !== undefined) return false;
  if (!v.isWhollyKnown(left) || !v.isWhollyKnown(right)) return undefined;
  if (t.isPrimitive(left.type) && t.isPrimitive(right.type)) {
    if (left.type.kind !== right.type.kind) return false;
    return v.sameContent(left, right);
  }
  if (left.type.kind !== right.type.kind) return false;
  return v.sameContent(left, right);
}
