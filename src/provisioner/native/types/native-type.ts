/**
 * A resource or data source type of the native engine. `validate`, `plan` and data sources are pure but for the chance
 * in `context`; the others may wait for the world (files, Docker).
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import type { Clock } from "#quartz/clock.ts";
import type { Value } from "#preview/cty/value.ts";
import type { DockerAccess } from "../docker/access.ts";
import type { Schema } from "../schema.ts";

export interface TypeContext {
  /** CODER_* variables of the run. */
  readonly env: Readonly<Record<string, string>>;
  /** The deployment's URL as the provider block or the environment has it. */
  readonly url: string;
  readonly rand: Rand;
  readonly os: string;
  readonly arch: string;
  readonly clock: Clock;
  /** Folder that relative paths start from: the template's. */
  readonly base: string;
  /** Aborts when the job is cancelled: end gently, keep what was made. */
  readonly canceled: AbortSignal;
  /** The daemon's environment, for DOCKER_HOST and the like. */
  readonly daemonEnv: Readonly<Record<string, string | undefined>>;
  /** Present where the template or the state has types of the `docker` provider. */
  readonly docker?: DockerAccess;
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
  /** With an error: it was made in part, and must not be forgotten. */
  readonly exists?: true;
}

export interface ManagedType extends Common {
  readonly mode: "managed";
  readonly plan: (config: Value, prior: Value | undefined) => ManagedPlan;
  /**
   * Asked before `create` where the instance's id is the world's to choose: a state that finds the instance again, kept
   * until `create` is done. Throws where something else is in the way.
   */
  readonly intent?: (planned: Value, context: TypeContext) => Promise<Value>;
  /** Arguments that the real provider has and this type has not. */
  readonly unsupported?: ReadonlySet<string>;
  readonly create: (planned: Value, context: TypeContext) => Made | Promise<Made>;
  /** In place; without it every change is a replacement. */
  readonly update?: (planned: Value, prior: Value, context: TypeContext) => Made | Promise<Made>;
  /** The instance as it is now; undefined if it is gone. */
  readonly read?: (state: Value, context: TypeContext) => Value | undefined | Promise<Value | undefined>;
  /** Removes it; that it is gone already is no error. Throws what keeps it. */
  readonly destroy?: (state: Value, context: TypeContext) => void | Promise<void>;
  /** Kept in states as `private`, base64. */
  readonly private?: string;
}

export interface DataType extends Common {
  readonly mode: "data";
  readonly read: (config: Value, context: TypeContext) => Made;
}

export type NativeType = ManagedType | DataType;
