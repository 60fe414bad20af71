/**
 * The Terraform provider `coder` as tables and pure functions. Both engines use it: `terraform` serves it over the
 * plugin protocol (served in-process), `native` calls it. Nothing here does I/O: the environment, chance and the
 * machine's name come in a `ProviderContext`.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";

/** A value that is only known after apply. */
export const unknown: unique symbol = Symbol("unknown");

/** Plain JSON, or `unknown` anywhere inside. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }
  | typeof unknown;

/**
 * A block's content in the shape of its schema: every attribute is present (null where not given), list and set
 * blocks are lists, or `unknown` as a whole.
 */
export type Attributes = Readonly<Record<string, Json>>;

/** Terraform's JSON notation of types. */
export type AttributeType =
  | "string"
  | "number"
  | "bool"
  | readonly ["list" | "set" | "map", AttributeType]
  | readonly ["object", Readonly<Record<string, AttributeType>>];

export interface Problem {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly detail?: string;
}

export interface Diagnostic extends Problem {
  /** Attribute names and list indexes. Set elements have no path of their own: it ends at the set. */
  readonly path?: readonly (string | number)[];
}

/** Looks at a known, non-null value. `name` is the attribute's dotted name, for messages. */
export type Check = (value: Json, name: string) => readonly Problem[];

export interface AttributeDef {
  readonly type: AttributeType;
  readonly required?: true;
  readonly optional?: true;
  readonly computed?: true;
  readonly sensitive?: true;
  /** Why it should not be used any more. */
  readonly deprecated?: string;
  readonly default?: Json;
  readonly check?: Check;
  /** Names in the same block that must not be given together with this one. */
  readonly conflicts?: readonly string[];
}

export interface BlockDef {
  readonly nesting: "list" | "set";
  readonly min?: number;
  readonly max?: number;
  readonly block: BlockSchema;
  /** The provider may fill it where the configuration has none. */
  readonly computed?: true;
  readonly deprecated?: string;
  readonly conflicts?: readonly string[];
}

export interface BlockSchema {
  readonly attributes: Readonly<Record<string, AttributeDef>>;
  readonly blocks: Readonly<Record<string, BlockDef>>;
}

export interface TypeDef {
  /** Stored in states. Terraform refuses a state with a higher one, so these numbers never fall. */
  readonly version: number;
  readonly block: BlockSchema;
}

export interface ProviderContext {
  /** Environment of the run, CODER_* variables; not the process's. */
  readonly env: Readonly<Record<string, string>>;
  /** The deployment's URL, as configured. */
  readonly url: string;
  readonly rand: Rand;
  /** Go's names of the machine that runs the engine. */
  readonly os: string;
  readonly arch: string;
}

export interface Outcome {
  readonly state: Attributes;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ResourceDef extends TypeDef {
  /** Checks of a plan that concern several attributes. */
  readonly planChecks?: (planned: Attributes) => readonly Problem[];
  /** Computes what the plan left unknown. */
  readonly create: (planned: Attributes, ctx: ProviderContext) => Outcome;
  /** What a refresh changes. */
  readonly read?: (state: Attributes, ctx: ProviderContext) => Attributes;
}

export interface DataDef extends TypeDef {
  readonly read: (config: Attributes, ctx: ProviderContext) => Outcome;
}
