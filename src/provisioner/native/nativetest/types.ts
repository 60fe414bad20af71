/** One type without an engine: configuration → plan → state. Test only. */
import assert from "node:assert/strict";
import { seededRand } from "#cryptorand/seeded.ts";
import { convert } from "#preview/cty/convert.ts";
import { fromJson, toJson } from "#preview/cty/json.ts";
import * as v from "#preview/cty/value.ts";
import { MockClock } from "#quartz/mock.ts";
import { schemaType } from "../schema.ts";
import type { ManagedType, TypeContext } from "../types/native-type.ts";
import { findType } from "../types/table.ts";

export function typeContext(change: Partial<TypeContext> = {}): TypeContext {
  return {
    env: {},
    url: "",
    rand: seededRand("types"),
    os: "linux",
    arch: "amd64",
    clock: new MockClock(),
    base: "/nonexistent",
    canceled: new AbortController().signal,
    daemonEnv: {},
    ...change,
  };
}

export function managedType(name: string): ManagedType {
  const type = findType("managed", name);
  assert.ok(type?.mode === "managed", name);
  return type;
}

/** A configuration; what is not given is null. */
export function configOf(type: ManagedType, given: Readonly<Record<string, unknown>>): v.Value {
  const empty = Object.fromEntries(Object.keys(type.schema.attributes).map((name) => [name, null]));
  return convert(fromJson({ ...empty, ...given }), schemaType(type.schema));
}

/** Makes an instance and holds that a second plan changes nothing. */
export async function makeState(
  type: ManagedType,
  given: Readonly<Record<string, unknown>>,
  context: TypeContext,
): Promise<v.Value> {
  const plan = type.plan(configOf(type, given), undefined);
  assert.deepEqual(plan.problems, []);
  const made = await type.create(plan.planned, context);
  assert.deepEqual(made.problems, []);
  assert.ok(v.isWhollyKnown(made.state), type.type);
  const again = type.plan(configOf(type, given), made.state);
  assert.deepEqual(again.replace, [], `${type.type} must not be replaced without a reason`);
  assert.deepEqual(
    toJson(again.planned),
    toJson(made.state),
    `${type.type} must not change without a reason`,
  );
  return made.state;
}

export const json = (value: v.Value): Record<string, unknown> => Object(toJson(value));
