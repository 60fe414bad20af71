/** Reads a wire schema back: the one place that looks into Zod. Used by the codecs, the checks and the OpenAPI writer. */
import { z } from "zod";
import { type Schema, type WireMeta, wireMeta } from "./wire.ts";

export type Shape =
  | { readonly kind: "string" | "bool" | "int" | "float" | "durationNs" | "uuid" | "time" | "bytes" | "json" }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "list" | "nullList" | "map"; readonly item: Schema }
  | { readonly kind: "nullable" | "omit" | "ptr"; readonly inner: Schema }
  | { readonly kind: "struct"; readonly name: string; readonly fields: Readonly<Record<string, Schema>> }
  | { readonly kind: "lazy"; readonly get: () => Schema };

export const metaOf = (schema: Schema): WireMeta => wireMeta.get(schema) ?? {};

export function shapeOf(schema: Schema): Shape {
  const meta = metaOf(schema);
  if (schema instanceof z.ZodString) return { kind: meta.kind === "uuid" ? "uuid" : "string" };
  if (schema instanceof z.ZodBoolean) return { kind: "bool" };
  if (schema instanceof z.ZodNumber) {
    return { kind: meta.kind === "float" ? "float" : meta.kind === "durationNs" ? "durationNs" : "int" };
  }
  if (schema instanceof z.ZodDate) return { kind: "time" };
  if (schema instanceof z.ZodUnknown) return { kind: "json" };
  if (schema instanceof z.ZodEnum) return { kind: "enum", values: schema.options.map(String) };
  if (schema instanceof z.ZodReadonly) return listShape(schema, meta);
  if (schema instanceof z.ZodRecord) return { kind: "map", item: asSchema(schema.valueType) };
  if (schema instanceof z.ZodNullable) return { kind: "nullable", inner: asSchema(schema.unwrap()) };
  if (schema instanceof z.ZodOptional) {
    return { kind: meta.absence === "ptr" ? "ptr" : "omit", inner: asSchema(schema.unwrap()) };
  }
  if (schema instanceof z.ZodObject) {
    const fields: Record<string, Schema> = {};
    for (const [name, field] of Object.entries(schema.shape)) fields[name] = asSchema(field);
    return { kind: "struct", name: meta.id ?? "struct", fields };
  }
  if (schema instanceof z.ZodLazy) return { kind: "lazy", get: () => asSchema(schema.unwrap()) };
  if (meta.kind === "bytes") return { kind: "bytes" };
  throw new Error(`not a wire schema: ${schema.def.type}`);
}

function listShape(schema: z.ZodReadonly, meta: WireMeta): Shape {
  const array = schema.unwrap();
  if (!(array instanceof z.ZodArray)) throw new Error("not a wire schema: readonly of no list");
  return { kind: meta.kind === "nullList" ? "nullList" : "list", item: asSchema(array.element) };
}

/** Zod types the parts of a schema as its core type; the classic ones, which wire.ts makes, are all instances of this. */
function asSchema(schema: unknown): Schema {
  if (schema instanceof z.ZodType) return schema;
  throw new Error("not a wire schema");
}
