/** Numbers. */
import * as n from "../cty/number.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import { define, doubleOf, type FunctionTable, number, numOf } from "./define.ts";

function best(args: readonly Value[], sign: 1 | -1): Value {
  const [first, ...others] = args.map(numOf);
  if (!first) throw new ValueError("must pass at least one number");
  return v.num(others.reduce((a, b) => (n.compare(b, a) === sign ? b : a), first));
}

const one = (call: (a: n.Num) => n.Num) =>
  define({ params: [number], returns: t.number }, (args) => v.num(call(numOf(args[0]))));

function finite(value: number): Value {
  if (!Number.isFinite(value)) throw new ValueError("the result is not a finite number");
  return v.double(value);
}

export const numericFunctions: FunctionTable = {
  abs: one((a) => (a.m < 0n ? n.negate(a) : a)),
  ceil: one((a) => n.negate(n.floor(n.negate(a)))),
  floor: one(n.floor),
  signum: one((a) => n.fromInt(a.m < 0n ? -1 : a.m > 0n ? 1 : 0)),
  max: define({ rest: number, returns: t.number }, (args) => best(args, 1)),
  min: define({ rest: number, returns: t.number }, (args) => best(args, -1)),
  log: define({ params: [number, number], returns: t.number }, (args) => {
    return finite(Math.log(doubleOf(args[0])) / Math.log(doubleOf(args[1])));
  }),
  pow: define({ params: [number, number], returns: t.number }, (args) =>
    finite(doubleOf(args[0]) ** doubleOf(args[1])),
  ),
};
