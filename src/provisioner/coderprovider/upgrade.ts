/** Stored states of older schemas. */
import { isAttributes } from "./define.ts";
import type { AttributeType, Attributes, BlockSchema, Json } from "./types.ts";

/** Old states may hold numbers and bools as text. A value that fits in no way is dropped. */
function convert(type: AttributeType, value: Json): Json {
  if (value === null || typeof value === "symbol") return null;
  if (type === "string") return typeof value === "object" ? null : String(value);
  if (type === "number") {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return typeof number === "number" && Number.isFinite(number) ? number : null;
  }
  if (type === "bool") {
    if (typeof value === "boolean") return value;
    return value === "true" ? true : value === "false" ? false : null;
  }
  if (type[0] === "object") {
    if (!isAttributes(value)) return null;
    return mapValues(type[1], (member, name) => convert(member, value[name] ?? null));
  }
  const [kind, inner] = type;
  if (kind === "map") return isAttributes(value) ? mapValues(value, (item) => convert(inner, item)) : null;
  return Array.isArray(value) ? value.map((item: Json) => convert(inner, item)) : null;
}

function mapValues<T>(from: Readonly<Record<string, T>>, map: (value: T, name: string) => Json): Attributes {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, map(value, name)]));
}

export function upgradeBlock(block: BlockSchema, raw: Attributes): Attributes {
  const out: Record<string, Json> = {};
  for (const [name, { type }] of Object.entries(block.attributes)) {
    out[name] = convert(type, raw[name] ?? null);
  }
  for (const [name, def] of Object.entries(block.blocks)) {
    const value = raw[name] ?? [];
    const list = Array.isArray(value) ? value : [];
    out[name] = list.filter(isAttributes).map((item: Attributes) => upgradeBlock(def.block, item));
  }
  return out;
}
