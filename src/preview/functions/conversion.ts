/** Type conversions and marks. */
import { convert } from "../cty/convert.ts";
import * as t from "../cty/type.ts";
import type { Type } from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError } from "../cty/value.ts";
import type { HclFunction, Parameter } from "../hcl/scope.ts";
import { arg, define, type FunctionTable } from "./define.ts";

const raw: Parameter = { type: t.dynamic, nullable: true, unknown: true, marked: true };

function to(type: Type): HclFunction {
  return define({ params: [raw], returns: type }, (args) => {
    const from = arg(args, 0);
    try {
      return convert(from, type);
    } catch (error) {
      throw error instanceof ValueError
        ? new ValueError(`cannot convert to ${t.typeName(type)}: ${error.message}`, 0)
        : error;
    }
  });
}

export const conversionFunctions: FunctionTable = {
  tostring: to(t.string),
  tonumber: to(t.number),
  tobool: to(t.bool),
  tolist: to(t.list(t.dynamic)),
  toset: to(t.set(t.dynamic)),
  tomap: to(t.map(t.dynamic)),
  sensitive: define({ params: [raw] }, (args) => v.mark(arg(args, 0))),
  nonsensitive: define({ params: [raw] }, (args) => v.unmark(arg(args, 0))),
  issensitive: define({ params: [raw], returns: t.bool }, (args) => v.bool(v.deepSensitive(arg(args, 0)))),
  ephemeralasnull: define({ params: [raw] }, (args) => arg(args, 0)),
};
