/** A resource or data source type of the native engine. All functions are pure but for the chance in `context`. */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Value } from "#preview/cty/value.ts";
import type { Schema } from "../schema.ts";

export interface TypeContext {
  /** CODER_* variables of the run. */
  readonly env: Readonly<Record<string, string>>;
  /** The deployment's URL as the provider block or the environment has it. */
  readonly url: string;
  readonly rand: Rand;
  readonly os: string;
  readonly arch: string;
}

export type Path = readonly (string | number)[];

export interface TypeProblem {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly detail?: string | undefined;
  /** The argument at fault; absent means the whole block. */
  readonly path?: Path | undefined;
}

interface Common {
  readonly type: string;
  /** Address of its provider, as states name it. */
  readonly provider: string;
  readonly version: number;
  readonly schema: Schema;
  readonly validate?: (config: Value) => readonly TypeProblem[];
}

export interface ManagedPlan {
  /** Unknown where only apply tells. */
  readonly planned: Value;
  /** Attributes whose change makes a new resource. */
  readonly replace: readonly Path[];
  readonly problems: readonly TypeProblem[];
}

export interface Made {
  readonly state: Value;
  readonly problems: readonly TypeProblem[];
}

export interface ManagedType extends Common {
  readonly mode: "managed";
  readonly plan: (config: Value, prior: Value | undefined) => ManagedPlan;
  readonly create: (planned: Value, context: TypeContext) => Made;
  /** In place; without it every change is a replacement. */
  readonly update?: (planned: Value, prior: Value) => Made;
  readonly read?: (state: Value, context: TypeContext) => Value;
  /** Kept in states as `private`, base64. */
  readonly private?: string;
}

export interface DataType extends Common {
  readonly mode: "data";
  readonly read: (config: Value, context: TypeContext) => Made;
}

export type NativeType = ManagedType | DataType;
