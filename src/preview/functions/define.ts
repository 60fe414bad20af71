/** Short forms for the function tables. */
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import { toDouble, toSafeInt, type Num } from "../cty/number.ts";
import type { FunctionContext, HclFunction, Parameter } from "../hcl/scope.ts";

export type FunctionTable = Readonly<Record<string, HclFunction>>;

export const text: Parameter = { type: t.string };
export const number: Parameter = { type: t.number };
export const bool: Parameter = { type: t.bool };
export const any: Parameter = { type: t.dynamic };
export const texts: Parameter = { type: t.list(t.string) };

export interface Signature {
  readonly params?: readonly Parameter[];
  readonly rest?: Parameter;
  readonly returns?: HclFunction["returns"];
}

export function define(
  signature: Signature,
  call: (args: readonly Value[], context: FunctionContext) => Value,
): HclFunction {
  return {
    params: signature.params ?? [],
    ...(signature.rest ? { rest: signature.rest } : {}),
    ...(signature.returns ? { returns: signature.returns } : {}),
    call,
  };
}

/** A function of texts to a text. */
export const textFunction = (count: number, call: (...args: string[]) => string): HclFunction =>
  define({ params: Array.from({ length: count }, () => text), returns: t.string }, (args, context) => {
    const result = call(...args.map((arg) => textOf(arg)));
    context.spend(result.length >> 6);
    return v.str(result);
  });

export const arg = (args: readonly Value[], at: number): Value => args[at] ?? v.nullOf();

export function textOf(value: Value | undefined): string {
  if (typeof value?.content === "string") return value.content;
  throw new ValueError("string required");
}

export function numOf(value: Value | undefined): Num {
  if (value && v.isNum(value.content)) return value.content;
  throw new ValueError("number required");
}

export function intOf(value: Value | undefined): number {
  const whole = toSafeInt(numOf(value));
  if (whole === undefined) throw new ValueError("a whole number is required");
  return whole;
}

export const doubleOf = (value: Value | undefined): number => toDouble(numOf(value));

export const textsOf = (value: Value | undefined): string[] => (value ? v.items(value).map(textOf) : []);

export const stringList = (items: readonly string[]): Value => v.list(t.string, items.map(v.str));
