/**
 * Terraform's state, version 4, in and out. Resources of types that this engine does not know stay as they were, byte
 * for byte in content, so that a workspace may change engines.
 */
import type { Rand } from "#cryptorand/cryptorand.ts";
import { decodeJson, toJson, type JsonTree } from "#preview/cty/json.ts";
import { convert } from "#preview/cty/convert.ts";
import { compareText, dynamic, type Type, typeFromJson, typeToJson } from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import { fromJson } from "#preview/cty/json.ts";
import type { Key } from "#preview/module/evaluator.ts";
import { keyText } from "#preview/module/evaluator.ts";
import { schemaType } from "./schema.ts";
import { findType } from "./types/table.ts";
import { markPaths, sensitivePaths } from "./values.ts";

export interface StateInstance {
  readonly address: string;
  /** `module.a["x"]`, empty for the root. */
  readonly module: string;
  readonly mode: "managed" | "data";
  readonly type: string;
  readonly name: string;
  readonly key: Key;
  /** `provider["…"]` as stored. */
  readonly provider: string;
  /** Absent for types of other engines. */
  readonly value?: Value;
  /** The stored instance, for what this engine does not read itself. */
  readonly stored: Readonly<Record<string, unknown>>;
  readonly tainted: boolean;
  readonly deposed?: string;
  readonly dependencies: readonly string[];
  readonly createBeforeDestroy: boolean;
}

export interface State {
  serial: number;
  readonly lineage: string;
  readonly terraformVersion: string;
  outputs: Readonly<Record<string, unknown>>;
  readonly checkResults: unknown;
  /** By address; deposed ones by address and id. */
  readonly instances: Map<string, StateInstance>;
}

const writtenVersion = "1.11.4";

export class StateError extends Error {
  override name = "StateError";
}

export function emptyState(rand: Rand): State {
  return {
    serial: 0,
    lineage: rand.uuid(),
    terraformVersion: writtenVersion,
    outputs: {},
    checkResults: null,
    instances: new Map(),
  };
}

function record(json: unknown): Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? Object.fromEntries(Object.entries(json))
    : {};
}

const text = (json: unknown): string => (typeof json === "string" ? json : "");
const listOf = (json: unknown): unknown[] => (Array.isArray(json) ? json : []);

/** Throws `StateError` naming what it cannot read. Empty bytes are an empty state. */
export function readState(bytes: Uint8Array, rand: Rand): State {
  if (bytes.length === 0) return emptyState(rand);
  let root: Record<string, unknown>;
  try {
    root = record(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch {
    throw new StateError("the Terraform state is not JSON");
  }
  if (root["version"] !== 4) {
    throw new StateError(`the Terraform state has version ${String(root["version"])}, only 4 is read`);
  }
  const state: State = {
    serial: Number(root["serial"] ?? 0),
    lineage: text(root["lineage"]) || rand.uuid(),
    terraformVersion: text(root["terraform_version"]) || writtenVersion,
    outputs: record(root["outputs"]),
    checkResults: root["check_results"] ?? null,
    instances: new Map(),
  };
  for (const item of listOf(root["resources"])) {
    const resource = record(item);
    for (const stored of listOf(resource["instances"])) {
      const instance = readInstance(resource, record(stored));
      state.instances.set(
        instance.deposed === undefined ? instance.address : `${instance.address} ${instance.deposed}`,
        instance,
      );
    }
  }
  return state;
}

function readInstance(resource: Record<string, unknown>, stored: Record<string, unknown>): StateInstance {
  const module = text(resource["module"]);
  const mode = resource["mode"] === "data" ? "data" : "managed";
  const type = text(resource["type"]);
  const name = text(resource["name"]);
  const index = stored["index_key"];
  const key: Key = typeof index === "number" || typeof index === "string" ? index : undefined;
  const native = findType(mode, type);
  const deposed = text(stored["deposed"]);
  return {
    address: `${module === "" ? "" : `${module}.`}${mode === "data" ? "data." : ""}${type}.${name}${keyText(key)}`,
    module,
    mode,
    type,
    name,
    key,
    provider: text(resource["provider"]),
    ...(native
      ? {
          value: readValue(
            record(stored["attributes"]),
            schemaType(native.schema),
            stored["sensitive_attributes"],
          ),
        }
      : {}),
    stored,
    tainted: stored["status"] === "tainted",
    ...(deposed === "" ? {} : { deposed }),
    dependencies: listOf(stored["dependencies"]).map(text),
    createBeforeDestroy: stored["create_before_destroy"] === true,
  };
}

function readValue(attributes: Record<string, unknown>, type: Type, sensitive: unknown): Value {
  if (type.kind !== "object") return v.nullOf(type);
  const value = v.object(
    [...type.attributes].map(([name, inner]) => [name, readAttribute(attributes[name], inner)] as const),
  );
  return markPaths(value, listOf(sensitive).map(readPath));
}

/** Attributes of any type are stored with their type. */
function readAttribute(json: unknown, type: Type): Value {
  if (json === null || json === undefined) return v.nullOf(type);
  if (type.kind !== "dynamic") return convert(reread(json), type);
  const { value, type: stored } = record(json);
  if (value === undefined || stored === undefined) return fromJson(json);
  const given = typeFromJson(stored);
  return given.kind === "dynamic" ? v.nullOf() : convert(reread(value), given);
}

const reread = (json: unknown): Value => decodeJson(JSON.stringify(json));

function readPath(json: unknown): (string | number)[] {
  return listOf(json).map((step) => {
    const { value } = record(step);
    const inner = typeof value === "object" ? record(value)["value"] : value;
    return typeof inner === "number" ? inner : text(inner);
  });
}

/** State bytes as Terraform writes them. */
export function writeState(state: State): Buffer {
  const groups = new Map<
    string,
    { head: Record<string, unknown>; order: readonly string[]; instances: StateInstance[] }
  >();
  for (const instance of state.instances.values()) {
    const id = [instance.module, instance.mode, instance.type, instance.name].join(" ");
    const group = groups.get(id);
    if (group) group.instances.push(instance);
    else {
      const head = {
        ...(instance.module === "" ? {} : { module: instance.module }),
        mode: instance.mode,
        type: instance.type,
        name: instance.name,
        provider: instance.provider,
      };
      groups.set(id, {
        head,
        order: [instance.module, instance.mode, instance.type, instance.name],
        instances: [instance],
      });
    }
  }
  const sorted = [...groups.values()].sort((a, b) => compareLists(a.order, b.order));
  const resources = sorted.map(({ head, instances }) => ({
    ...head,
    instances: instances.sort((a, b) => compareKeys(a.key, b.key)).map(storedInstance),
  }));
  const root = {
    version: 4,
    terraform_version: state.terraformVersion,
    serial: state.serial,
    lineage: state.lineage,
    outputs: state.outputs,
    resources,
    check_results: state.checkResults,
  };
  return Buffer.from(`${JSON.stringify(root, null, 2)}\n`);
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (const [at, item] of a.entries()) {
    const order = compareText(item, b[at] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

export function compareKeys(a: Key, b: Key): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return compareText(String(a ?? ""), String(b ?? ""));
}

function storedInstance(instance: StateInstance): Record<string, unknown> {
  const { value, stored } = instance;
  if (!value) return { ...stored };
  const native = findType(instance.mode, instance.type);
  const type = native ? schemaType(native.schema) : dynamic;
  const secret = native?.mode === "managed" ? native.private : undefined;
  return {
    ...(instance.key === undefined ? {} : { index_key: instance.key }),
    ...(instance.tainted ? { status: "tainted" } : {}),
    ...(instance.deposed === undefined ? {} : { deposed: instance.deposed }),
    schema_version: instance.mode === "data" ? 0 : (native?.version ?? 0),
    attributes: writeAttributes(value, type),
    sensitive_attributes: sensitivePaths(value),
    ...(instance.mode === "managed" ? { identity_schema_version: 0 } : {}),
    ...(secret === undefined || instance.mode === "data" ? {} : { private: secret }),
    ...(instance.dependencies.length > 0 ? { dependencies: instance.dependencies } : {}),
    ...(instance.createBeforeDestroy ? { create_before_destroy: true } : {}),
  };
}

function writeAttributes(value: Value, type: Type): JsonTree {
  const out: [string, JsonTree][] = [];
  for (const [name, item] of v.entries(value)) {
    const declared = type.kind === "object" ? type.attributes.get(name) : undefined;
    const json = toJson(item) ?? null;
    const typed = declared?.kind === "dynamic" && item.content !== null;
    out.push([name, typed ? { value: json, type: jsonType(item.type) } : json]);
  }
  return Object.fromEntries(out);
}

function jsonType(type: Type): JsonTree {
  const parsed: JsonTree = JSON.parse(JSON.stringify(typeToJson(type)));
  return parsed;
}

/** The stored form of a root output. */
export const storedOutput = (value: Value): Record<string, unknown> => ({
  value: toJson(value) ?? null,
  type: typeToJson(value.type),
  ...(v.deepSensitive(value) ? { sensitive: true } : {}),
});
