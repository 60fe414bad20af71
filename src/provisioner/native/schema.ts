/** What a native type looks like, and its configuration and state as values. */
import { list, object, set, type Type, typeFromJson } from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import { fromNumber } from "#preview/cty/number.ts";
import { toDouble } from "#preview/cty/number.ts";
import type { AttributeType, BlockSchema, Json } from "../coderprovider/types.ts";
import { unknown } from "../coderprovider/types.ts";

export interface Attribute {
  readonly type: Type;
  readonly required?: true;
  readonly optional?: true;
  readonly computed?: true;
  readonly sensitive?: true;
}

export interface NestedBlock {
  readonly nesting: "list" | "set";
  readonly min?: number;
  readonly max?: number;
  readonly schema: Schema;
}

export interface Schema {
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly blocks: Readonly<Record<string, NestedBlock>>;
}

/** The type of a block's value. */
export function schemaType(schema: Schema): Type {
  const attributes = new Map<string, Type>();
  for (const [name, { type }] of Object.entries(schema.attributes)) attributes.set(name, type);
  for (const [name, { nesting, schema: inner }] of Object.entries(schema.blocks)) {
    attributes.set(name, (nesting === "set" ? set : list)(schemaType(inner)));
  }
  return object(new Map([...attributes].sort(([a], [b]) => (a < b ? -1 : 1))));
}

export function fromBlockSchema(block: BlockSchema): Schema {
  const attributes: Record<string, Attribute> = {};
  for (const [name, def] of Object.entries(block.attributes)) {
    attributes[name] = {
      type: attributeType(def.type),
      ...(def.required ? { required: true } : {}),
      ...(def.optional ? { optional: true } : {}),
      ...(def.computed ? { computed: true } : {}),
      ...(def.sensitive ? { sensitive: true } : {}),
    };
  }
  const blocks: Record<string, NestedBlock> = {};
  for (const [name, def] of Object.entries(block.blocks)) {
    blocks[name] = {
      nesting: def.nesting,
      ...(def.min === undefined ? {} : { min: def.min }),
      ...(def.max === undefined ? {} : { max: def.max }),
      schema: fromBlockSchema(def.block),
    };
  }
  return { attributes, blocks };
}

const attributeType = (type: AttributeType): Type => typeFromJson(type);

/** A value as the coder provider takes it. */
export function toProvider(value: Value): Json {
  const { content } = value;
  if (content === undefined) return unknown;
  if (content === null || typeof content === "string" || typeof content === "boolean") return content;
  if (v.isNum(content)) return toDouble(content);
  if (Array.isArray(content)) return v.items(value).map(toProvider);
  return Object.fromEntries([...v.entries(value)].map(([key, item]) => [key, toProvider(item)]));
}

export function toAttributes(value: Value): Record<string, Json> {
  return Object.fromEntries([...v.entries(value)].map(([key, item]) => [key, toProvider(item)]));
}

/** JSON of a provider or a state as a value of this type. What does not fit becomes null; keys of no attribute are dropped. */
export function fromProvider(json: Json | undefined, type: Type): Value {
  if (json === unknown) return v.unknownOf(type);
  if (json === null || json === undefined || typeof json === "symbol") return v.nullOf(type);
  switch (type.kind) {
    case "string":
      return typeof json === "object" ? v.nullOf(type) : v.str(String(json));
    case "number":
      return typeof json === "number" ? v.num(fromNumber(json)) : v.nullOf(type);
    case "bool":
      return typeof json === "boolean" ? v.bool(json) : v.nullOf(type);
    case "list":
      return Array.isArray(json)
        ? v.list(
            type.of,
            json.map((item) => fromProvider(item, type.of)),
          )
        : v.nullOf(type);
    case "set":
      return Array.isArray(json)
        ? v.set(
            type.of,
            json.map((item) => fromProvider(item, type.of)),
          )
        : v.nullOf(type);
    case "map":
      if (!isRecord(json)) return v.nullOf(type);
      return v.map(
        type.of,
        Object.entries(json).map(([key, item]) => [key, fromProvider(item, type.of)] as const),
      );
    case "object":
      if (!isRecord(json)) return v.nullOf(type);
      return v.object(
        [...type.attributes].map(
          ([name, inner]) =>
            [name, fromProvider(Object.hasOwn(json, name) ? json[name] : null, inner)] as const,
        ),
      );
    case "tuple":
      return Array.isArray(json)
        ? v.tuple(type.items.map((inner, at) => fromProvider(json[at], inner)))
        : v.nullOf(type);
    case "dynamic":
      return v.nullOf(type);
  }
}

function isRecord(json: Json): json is { readonly [key: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Marks of the configuration and of the schema, put on a value of the same shape. */
export function withMarks(value: Value, config: Value | undefined, schema: Schema): Value {
  if (!(value.content instanceof Map)) return value;
  const given = config && config.content instanceof Map ? v.entries(config) : undefined;
  const out = [...v.entries(value)].map(([name, item]) => {
    const attribute = Object.hasOwn(schema.attributes, name) ? schema.attributes[name] : undefined;
    const marked = copyMarks(item, given?.get(name));
    return [name, v.mark(marked, attribute?.sensitive === true)] as const;
  });
  return v.mark(v.object(out), config?.sensitive);
}

function copyMarks(value: Value, from: Value | undefined): Value {
  if (!from) return value;
  if (from.sensitive) return v.mark(value);
  if (!v.deepSensitive(from)) return value;
  if (from.type.kind === "set" || !v.isContainer(value) || !v.isContainer(from)) return v.mark(value);
  if (Array.isArray(value.content)) {
    const sources = v.items(from);
    return v.raw(
      value.type,
      v.items(value).map((item, at) => copyMarks(item, sources[at])),
    );
  }
  const sources = v.entries(from);
  return v.raw(
    value.type,
    new Map([...v.entries(value)].map(([key, item]) => [key, copyMarks(item, sources.get(key))])),
  );
}
