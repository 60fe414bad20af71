/** Checks of a configuration by its schema. Required arguments and counts of blocks are the engine's to check. */
import { error, shown } from "./checks.ts";
import { isAttributes, isSet, items } from "./define.ts";
import type { AttributeDef, Attributes, BlockSchema, Diagnostic, Json } from "./types.ts";

type Path = readonly (string | number)[];

interface Place {
  readonly path: Path;
  /** Dotted name, indexes of set elements included. */
  readonly name: string;
  /** Inside a set: the path ends there. */
  readonly inSet: boolean;
}

const root: Place = { path: [], name: "", inSet: false };

function below(place: Place, step: string | number): Place {
  return {
    path: place.inSet ? place.path : [...place.path, step],
    name: place.name === "" ? String(step) : `${place.name}.${step}`,
    inSet: place.inSet,
  };
}

/** Whether the configuration gives it: a value, also an unknown one, or a block. */
function isGiven(value: Json | undefined): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null;
}

function conflictProblems(
  conflicts: readonly string[] | undefined,
  config: Attributes,
  parent: Place,
  at: Place,
): Diagnostic[] {
  const prefix = parent.name === "" ? "" : `${parent.name}.`;
  return (conflicts ?? [])
    .filter((other) => isGiven(config[other]) && isSet(config[other]))
    .slice(0, 1)
    .map((other) => ({
      ...error("Conflicting configuration arguments", `"${at.name}": conflicts with ${prefix}${other}`),
      path: at.path,
    }));
}

function deprecation(text: string | undefined, { path }: Place): Diagnostic[] {
  return text === undefined
    ? []
    : [{ severity: "warning", summary: "Argument is deprecated", detail: text, path }];
}

function valueProblems(def: AttributeDef, value: Json, at: Place): Diagnostic[] {
  if (!isSet(value)) return [];
  if (def.type === "number" && !Number.isInteger(value)) {
    return [{ ...error(`expected ${at.name} to be a whole number, got ${shown(value)}`), path: at.path }];
  }
  return (def.check?.(value, at.name) ?? []).map((problem) => ({ ...problem, path: at.path }));
}

export function validateBlock(block: BlockSchema, config: Attributes, place: Place = root): Diagnostic[] {
  const out: Diagnostic[] = [];
  for (const [name, def] of Object.entries(block.attributes)) {
    const value = config[name] ?? null;
    if (!isGiven(value)) continue;
    const at = below(place, name);
    const conflicts = conflictProblems(def.conflicts, config, place, at);
    out.push(...conflicts);
    if (conflicts.length === 0) {
      out.push(...deprecation(def.deprecated, at), ...valueProblems(def, value, at));
    }
  }
  for (const [name, def] of Object.entries(block.blocks)) {
    const value = config[name] ?? [];
    if (!isGiven(value)) continue;
    const at = below(place, name);
    const conflicts = conflictProblems(def.conflicts, config, place, at);
    out.push(...conflicts);
    if (conflicts.length > 0) continue;
    out.push(...deprecation(def.deprecated, at));
    const inside: Place = def.nesting === "set" ? { ...at, inSet: true } : at;
    for (const [i, item] of items(value).entries()) {
      if (isAttributes(item)) out.push(...validateBlock(def.block, item, below(inside, i)));
    }
  }
  return out;
}
