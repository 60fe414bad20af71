/** Values of the plugin protocol ↔ attributes in the shape of a schema. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  AttributePathSchema,
  AttributePath_StepSchema,
  DynamicValueSchema,
  Diagnostic_Severity,
  type AttributePath,
  type DiagnosticSchema,
  type DynamicValue,
} from "#rpc/gen/tfplugin5_pb.js";
import { isAttributes } from "../../coderprovider/define.ts";
import {
  unknown,
  type Attributes,
  type AttributeType,
  type BlockSchema,
  type Diagnostic,
  type Json,
} from "../../coderprovider/types.ts";
import { decodeMsgpack, encodeMsgpack } from "./msgpack.ts";

/** Terraform sends numbers that no double holds exactly as decimal text. */
function conform(type: AttributeType, value: Json): Json {
  if (value === null || value === unknown) return value;
  if (type === "number") return typeof value === "string" ? Number(value) : value;
  if (typeof type === "string") return value;
  if (type[0] === "object") {
    if (!isAttributes(value)) return value;
    return Object.fromEntries(
      Object.entries(type[1]).map(([name, member]) => [name, conform(member, value[name] ?? null)]),
    );
  }
  const inner = type[1];
  if (Array.isArray(value)) return value.map((item: Json) => conform(inner, item));
  if (!isAttributes(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, conform(inner, member)]));
}

function shape(block: BlockSchema, value: Attributes): Attributes {
  const out: Record<string, Json> = {};
  for (const [name, { type }] of Object.entries(block.attributes)) {
    out[name] = conform(type, value[name] ?? null);
  }
  for (const [name, def] of Object.entries(block.blocks)) {
    const nested = value[name] ?? [];
    out[name] = Array.isArray(nested)
      ? nested.map((item: Json) => (isAttributes(item) ? shape(def.block, item) : item))
      : nested;
  }
  return out;
}

/** Null where Terraform sends none or null: there is no such object. */
export function readValue(block: BlockSchema, value: DynamicValue | undefined): Attributes | null {
  const decoded = decode(value);
  if (decoded === null) return null;
  if (!isAttributes(decoded)) throw new Error("a value of the plugin protocol must be an object");
  return shape(block, decoded);
}

function decode(value: DynamicValue | undefined): Json {
  if (value && value.msgpack.length > 0) return decodeMsgpack(value.msgpack);
  if (value && value.json.length > 0) return parseJson(value.json);
  return null;
}

export function parseJson(data: Uint8Array): Json {
  return JSON.parse(Buffer.from(data).toString("utf8"));
}

/** The object must have exactly the schema's members: others would be refused. */
export function writeValue(block: BlockSchema, value: Attributes | null): DynamicValue {
  const exact: Record<string, Json> = {};
  for (const name of [...Object.keys(block.attributes), ...Object.keys(block.blocks)]) {
    exact[name] = value?.[name] ?? null;
  }
  return create(DynamicValueSchema, { msgpack: encodeMsgpack(value && exact) });
}

export function writePath(path: readonly (string | number)[]): AttributePath {
  return create(AttributePathSchema, {
    steps: path.map((step) =>
      create(AttributePath_StepSchema, {
        selector:
          typeof step === "string"
            ? { case: "attributeName", value: step }
            : { case: "elementKeyInt", value: BigInt(step) },
      }),
    ),
  });
}

export function writeDiagnostics(
  diagnostics: readonly Diagnostic[],
): MessageInitShape<typeof DiagnosticSchema>[] {
  return diagnostics.map(({ severity, summary, detail, path }) => ({
    severity: severity === "error" ? Diagnostic_Severity.ERROR : Diagnostic_Severity.WARNING,
    summary,
    detail: detail ?? "",
    ...(path && path.length > 0 ? { attribute: writePath(path) } : {}),
  }));
}
