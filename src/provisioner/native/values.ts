/** Comparing and JSON of resource values. */
import { toDouble } from "#preview/cty/number.ts";
import * as v from "#preview/cty/value.ts";
import type { Value } from "#preview/cty/value.ts";
import type { JsonTree } from "#preview/cty/json.ts";

/** Equal in content; something unknown is equal to nothing. */
export function same(a: Value, b: Value): boolean {
  return v.isWhollyKnown(a) && v.isWhollyKnown(b) && v.sameContent(a, b);
}

/** As plans show values: unknown attributes are left out, unknown elements are null. */
export function knownJson(value: Value): JsonTree | undefined {
  const { content } = value;
  if (content === undefined) return undefined;
  if (content === null || typeof content === "string" || typeof content === "boolean") return content;
  if (v.isNum(content)) return toDouble(content);
  if (Array.isArray(content)) return v.items(value).map((item) => knownJson(item) ?? null);
  const out: [string, JsonTree][] = [];
  for (const [key, item] of v.entries(value)) {
    const json = knownJson(item);
    if (json !== undefined) out.push([key, json]);
  }
  return Object.fromEntries(out);
}

/** `after_unknown`: true where unknown, containers where something inside may be. */
export function unknownJson(value: Value): JsonTree {
  if (value.content === undefined) return true;
  return marksJson(value, unknownJson, (json) => json !== false);
}

/** `sensitive_values`: true where sensitive. */
export function sensitiveJson(value: Value): JsonTree {
  if (value.sensitive) return true;
  return marksJson(value, sensitiveJson, (json) => json !== false);
}

function marksJson(
  value: Value,
  inner: (value: Value) => JsonTree,
  keep: (json: JsonTree) => boolean,
): JsonTree {
  if (Array.isArray(value.content)) return v.items(value).map(inner);
  if (!(value.content instanceof Map)) return false;
  const out: [string, JsonTree][] = [];
  for (const [key, item] of v.entries(value)) {
    const json = inner(item);
    if (keep(json)) out.push([key, json]);
  }
  return Object.fromEntries(out);
}

/** Paths of what is sensitive, as states store them. */
export function sensitivePaths(value: Value, at: readonly JsonTree[] = []): JsonTree[] {
  if (value.sensitive) return [at];
  if (!v.isContainer(value) || value.type.kind === "set") return v.deepSensitive(value) ? [at] : [];
  if (Array.isArray(value.content)) {
    return v
      .items(value)
      .flatMap((item, index) =>
        sensitivePaths(item, [...at, { type: "index", value: { value: index, type: "number" } }]),
      );
  }
  const step = (key: string): JsonTree =>
    value.type.kind === "map"
      ? { type: "index", value: { value: key, type: "string" } }
      : { type: "get_attr", value: key };
  return [...v.entries(value)].flatMap(([key, item]) => sensitivePaths(item, [...at, step(key)]));
}

/** Marks a value along stored paths. */
export function markPaths(value: Value, paths: readonly (readonly (string | number)[])[]): Value {
  let out = value;
  for (const path of paths) out = markPath(out, path);
  return out;
}

function markPath(value: Value, path: readonly (string | number)[]): Value {
  const [step, ...rest] = path;
  if (step === undefined) return v.mark(value);
  if (Array.isArray(value.content) && typeof step === "number") {
    const items = v.items(value).map((item, at) => (at === step ? markPath(item, rest) : item));
    return v.raw(value.type, items, value.sensitive);
  }
  if (!(value.content instanceof Map)) return value;
  const entries = [...v.entries(value)].map(
    ([key, item]) => [key, key === step ? markPath(item, rest) : item] as const,
  );
  return v.raw(value.type, new Map(entries), value.sensitive);
}
