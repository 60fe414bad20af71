/** What a plan holds: the changes of resources, the data that was read, and the values of outputs. */
import type { Value } from "#preview/cty/value.ts";
import type { Diagnostic } from "#preview/hcl/source.ts";
import type { Key } from "#preview/module/evaluator.ts";
import type { StateInstance } from "./state.ts";
import type { DataType, ManagedType, Path } from "./types/native-type.ts";

export type Action = "no-op" | "create" | "update" | "replace" | "delete";

export interface Change {
  readonly address: string;
  /** Without indexes, as dependencies name it: `module.a.coder_agent.main`. */
  readonly configAddress: string;
  readonly module: string;
  readonly type: ManagedType;
  readonly name: string;
  readonly key: Key;
  readonly action: Action;
  /** Only with `replace`. */
  readonly createFirst: boolean;
  readonly prior?: StateInstance;
  readonly before?: Value;
  /** Absent with `delete`. */
  readonly after?: Value;
  readonly replacePaths: readonly Path[];
  /** Config addresses of managed resources that it needs. */
  readonly dependencies: readonly string[];
}

export interface DataRead {
  readonly address: string;
  readonly configAddress: string;
  readonly module: string;
  readonly type: DataType;
  readonly name: string;
  readonly key: Key;
  /** With unknown parts where it can be read only while applying. */
  readonly value: Value;
  readonly deferred: boolean;
}

export interface PlannedRun {
  readonly changes: readonly Change[];
  readonly data: readonly DataRead[];
  /** Root outputs. */
  readonly outputs: ReadonlyMap<string, Value>;
  readonly diagnostics: readonly Diagnostic[];
}
