/** From configuration to plan: defaults, what is only known after apply, and what a change replaces. */
import { isAttributes } from "./define.ts";
import {
  unknown,
  type Attributes,
  type AttributeDef,
  type BlockDef,
  type BlockSchema,
  type Json,
} from "./types.ts";

interface PlanOptions {
  /** What a computed attribute without a value is: unknown in plans, null where it is about to be read. */
  readonly computedAs: Json;
}

function planAttribute(def: AttributeDef, value: Json, options: PlanOptions): Json {
  if (value !== null) return value;
  if (def.default !== undefined) return def.default;
  return def.computed ? options.computedAs : null;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function planBlocks(def: BlockDef, value: Json, options: PlanOptions): Json {
  if (value === unknown) return unknown;
  const list = isList(value) ? value : [];
  if (list.length === 0 && def.computed) return options.computedAs ?? [];
  return list.map((item) => (isAttributes(item) ? planBlock(def.block, item, options) : item));
}

/** The plan of a new resource, or the filled configuration of a data source. */
export function planBlock(
  block: BlockSchema,
  config: Attributes,
  options: PlanOptions = { computedAs: unknown },
): Attributes {
  const out: Record<string, Json> = {};
  for (const [name, def] of Object.entries(block.attributes)) {
    out[name] = planAttribute(def, config[name] ?? null, options);
  }
  for (const [name, def] of Object.entries(block.blocks)) {
    out[name] = planBlocks(def, config[name] ?? [], options);
  }
  return out;
}

/** Inside nested blocks a stored zero value stands for an attribute that was never given. */
function isZero(value: Json): boolean {
  return value === null || value === "" || value === 0 || value === false;
}

function sameValue(def: AttributeDef, fresh: Json, prior: Json, nested: boolean): boolean {
  if (fresh === unknown) return def.computed === true && def.required !== true;
  if (nested && isZero(fresh) && isZero(prior)) return true;
  return sameJson(fresh, prior);
}

/** Member order of objects does not matter; order of lists does. */
function sameJson(one: Json, other: Json): boolean {
  if (isList(one)) {
    return (
      isList(other) && one.length === other.length && one.every((item, i) => sameJson(item, other[i] ?? null))
    );
  }
  if (isAttributes(one)) {
    if (!isAttributes(other)) return false;
    const names = Object.keys(one);
    return (
      names.length === Object.keys(other).length &&
      names.every((name) => sameJson(one[name] ?? null, other[name] ?? null))
    );
  }
  return one === other;
}

function sameBlock(block: BlockSchema, fresh: Json, prior: Json): boolean {
  if (!isAttributes(fresh) || !isAttributes(prior)) return fresh === prior;
  for (const [name, def] of Object.entries(block.attributes)) {
    if (!sameValue(def, fresh[name] ?? null, prior[name] ?? null, true)) return false;
  }
  return Object.entries(block.blocks).every(([name, def]) =>
    sameBlocks(def, fresh[name] ?? [], prior[name] ?? []),
  );
}

function sameBlocks(def: BlockDef, fresh: Json, prior: Json): boolean {
  if (fresh === unknown) return def.computed === true;
  const one = isList(fresh) ? fresh : [];
  const other = isList(prior) ? [...prior] : [];
  if (one.length !== other.length) return false;
  if (def.nesting === "list") return one.every((item, i) => sameBlock(def.block, item, other[i] ?? null));
  return one.every((item) => {
    const at = other.findIndex((candidate) => sameBlock(def.block, item, candidate));
    if (at < 0) return false;
    other.splice(at, 1);
    return true;
  });
}

/** Paths of what differs from the prior state. A configured value that is not known yet differs. */
export function replacements(
  block: BlockSchema,
  fresh: Attributes,
  prior: Attributes,
): readonly (readonly (string | number)[])[] {
  const out: (string | number)[][] = [];
  for (const [name, def] of Object.entries(block.attributes)) {
    if (!sameValue(def, fresh[name] ?? null, prior[name] ?? null, false)) out.push([name]);
  }
  for (const [name, def] of Object.entries(block.blocks)) {
    if (!sameBlocks(def, fresh[name] ?? [], prior[name] ?? [])) out.push([name]);
  }
  return out;
}
