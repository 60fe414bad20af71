/** What an expression may refer to: names of its root (`var`, `local`, `data` …) and functions. */
import type { Type } from "../cty/type.ts";
import type { Value } from "../cty/value.ts";
import type { Expression } from "./ast.ts";
import type { Range } from "./source.ts";

export interface Parameter {
  readonly type: Type;
  /** Null is refused unless this is set. */
  readonly nullable?: true;
  /** Unknown values reach the function instead of making the result unknown. */
  readonly unknown?: true;
  /** Marks reach the function instead of marking the result. */
  readonly marked?: true;
}

export interface FunctionContext {
  /** Counts work; throws when an expression does too much. */
  spend(steps: number): void;
  readonly scope: Scope;
}

export interface HclFunction {
  readonly params: readonly Parameter[];
  /** Further arguments, any number. */
  readonly rest?: Parameter;
  /** Of an unknown result. */
  readonly returns?: Type | ((args: readonly Value[]) => Type);
  readonly call: (args: readonly Value[], context: FunctionContext) => Value;
}

export interface Scope {
  /** The value of a root name followed by these attribute names, and how many of them it used. */
  lookup(
    name: string,
    path: readonly string[],
    range: Range,
  ): { readonly value: Value; readonly used: number } | undefined;
  function(name: string): HclFunction | undefined;
  /** Work left, shared by all expressions of one evaluation. */
  readonly budget: Budget;
}

/** Bounds what hostile templates may cost: steps of evaluation and characters of text made. */
export class Budget {
  #left: number;
  constructor(steps = 1_000_000) {
    this.#left = steps;
  }
  spend(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }
}

export type { Expression };
