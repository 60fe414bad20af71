/** Function calls: argument count and types, null, unknown and marks, then the function itself. `try` and `can` are lazy. */
import { convert } from "../cty/convert.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import { type Expression, rangeOf } from "./ast.ts";
import type { HclFunction, Scope } from "./scope.ts";
import { HclError } from "./source.ts";

type Call = Extract<Expression, { kind: "call" }>;
type Evaluate = (expression: Expression) => Value;

export function callFunction(call: Call, scope: Scope, evaluate: Evaluate): Value {
  if (call.name === "try" || call.name === "can") return lazy(call, evaluate);
  const fn = scope.function(call.name);
  if (!fn) {
    throw new HclError(
      "Call to unknown function",
      `There is no function named ${JSON.stringify(call.name)}.`,
      rangeOf(call),
    );
  }
  const args = call.args.map(evaluate);
  if (call.expand) {
    const last = args.pop();
    if (!last || last.content === undefined) return v.unknownOf();
    if (last.content === null || !Array.isArray(last.content)) {
      throw new ValueError('the expanded argument before "..." must be a list, set or tuple');
    }
    args.push(...v.items(last).map((item) => v.mark(item, last.sensitive)));
  }
  try {
    return invoke(fn, args, scope);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    const at = error.argument === undefined ? "" : `argument ${error.argument + 1}: `;
    throw new ValueError(`call to function ${JSON.stringify(call.name)} failed: ${at}${error.message}`);
  }
}

export function invoke(fn: HclFunction, given: readonly Value[], scope: Scope): Value {
  if (given.length < fn.params.length) {
    throw new ValueError(`not enough arguments: ${given.length} of ${fn.params.length}`);
  }
  if (given.length > fn.params.length && !fn.rest) {
    throw new ValueError(`too many arguments: ${given.length}, not ${fn.params.length}`);
  }
  let unknown = false;
  let sensitive = false;
  const args = given.map((arg, at) => {
    const parameter = fn.params[at] ?? fn.rest;
    if (!parameter) return arg;
    let value: Value;
    try {
      value = convert(arg, parameter.type);
    } catch (error) {
      throw error instanceof ValueError ? new ValueError(error.message, at) : error;
    }
    if (value.content === null && !parameter.nullable) throw new ValueError("argument must not be null", at);
    if (!parameter.marked && v.deepSensitive(value)) {
      sensitive = true;
      value = v.unmarkDeep(value);
    }
    if (!parameter.unknown && !v.isWhollyKnown(value)) unknown = true;
    return value;
  });
  if (unknown) {
    const type = typeof fn.returns === "function" ? fn.returns(args) : (fn.returns ?? t.dynamic);
    return v.mark(v.unknownOf(type), sensitive);
  }
  const spend = (steps: number): void => {
    if (!scope.budget.spend(steps)) throw new ValueError("the template takes too many steps");
  };
  return v.mark(fn.call(args, { spend, scope }), sensitive);
}

function lazy(call: Call, evaluate: Evaluate): Value {
  if (call.args.length === 0) throw new ValueError(`${call.name} needs an argument`);
  let last: HclError | undefined;
  for (const arg of call.args) {
    try {
      const value = evaluate(arg);
      return call.name === "can" ? v.bool(true) : value;
    } catch (error) {
      if (!(error instanceof HclError) || error.diagnostic.summary === "Evaluation too expensive") {
        throw error;
      }
      last = error;
    }
    if (call.name === "can") return v.bool(false);
  }
  throw new ValueError(`no given expression succeeded; the last said: ${last?.message ?? "nothing"}`);
}
