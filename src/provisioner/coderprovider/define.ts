/** Words to write schemas with, and to read values by them. */
import {
  unknown,
  type AttributeDef,
  type Attributes,
  type BlockDef,
  type BlockSchema,
  type Json,
} from "./types.ts";

type Extras = Omit<AttributeDef, "type" | "required" | "optional">;

export function required(type: AttributeDef["type"], extras: Extras = {}): AttributeDef {
  return { type, required: true, ...extras };
}

export function optional(type: AttributeDef["type"], extras: Extras = {}): AttributeDef {
  return { type, optional: true, ...extras };
}

export function computed(type: AttributeDef["type"], extras: Extras = {}): AttributeDef {
  return { type, computed: true, ...extras };
}

/** Every resource and data source has it, as upstream's SDK makes it. */
export const implicitId: AttributeDef = { type: "string", optional: true, computed: true };

export function schema(
  attributes: BlockSchema["attributes"],
  blocks: BlockSchema["blocks"] = {},
): BlockSchema {
  return { attributes, blocks };
}

export function listOf(
  attributes: BlockSchema["attributes"],
  extras: Omit<BlockDef, "nesting" | "block"> & { readonly blocks?: BlockSchema["blocks"] } = {},
): BlockDef {
  const { blocks, ...rest } = extras;
  return { nesting: "list", block: schema(attributes, blocks), ...rest };
}

export function setOf(
  attributes: BlockSchema["attributes"],
  extras: Omit<BlockDef, "nesting" | "block"> & { readonly blocks?: BlockSchema["blocks"] } = {},
): BlockDef {
  return { ...listOf(attributes, extras), nesting: "set" };
}

export function isAttributes(value: Json | undefined): value is Attributes {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Nested blocks, or the elements of a list. Null and unknown have none. */
export function items(value: Json | undefined): readonly Json[] {
  return isList(value) ? value : [];
}

/** Nested blocks that are known to exist. */
export function blocksOf(value: Json | undefined): readonly Attributes[] {
  return items(value).filter(isAttributes);
}

/** A known string, else "". */
export function stringOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

export function isSet(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== unknown;
}

/** What SDK-made providers store for an unset attribute inside a block. */
function zeroOf({ type }: AttributeDef): Json {
  if (type === "string") return "";
  if (type === "number") return 0;
  if (type === "bool") return false;
  return null;
}

/** Unset attributes inside nested blocks become zero values; those at the top stay null. */
export function withNestedZeros(values: Attributes, block: BlockSchema, nested = false): Attributes {
  const out: Record<string, Json> = { ...values };
  if (nested) {
    for (const [name, def] of Object.entries(block.attributes)) {
      if (out[name] === null) out[name] = zeroOf(def);
    }
  }
  for (const [name, def] of Object.entries(block.blocks)) {
    const value = out[name];
    if (!isList(value)) continue;
    out[name] = value.map((item) => (isAttributes(item) ? withNestedZeros(item, def.block, true) : item));
  }
  return out;
}
