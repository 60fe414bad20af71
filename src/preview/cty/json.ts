/** HCL values as JSON: Terraform's `jsonencode` text, and JSON trees of states and plans in both directions. */
import { formatNum, parseNum, toDouble } from "./number.ts";
import * as v from "./value.ts";
import { ValueError, type Value } from "./value.ts";

const maxDepth = 200;

/** Compact, keys sorted, with Go's escapes of `<`, `>`, `&`, U+2028 and U+2029. */
export function encodeJson(from: Value, depth = 0): string {
  if (depth > maxDepth) throw new ValueError("value is nested too deeply");
  const { content } = from;
  if (content === null) return "null";
  if (content === undefined) throw new ValueError("value is not known");
  if (typeof content === "string") return jsonString(content);
  if (typeof content === "boolean") return String(content);
  if (v.isNum(content)) return formatNum(content);
  if (Array.isArray(content)) return `[${content.map((item) => encodeJson(item, depth + 1)).join(",")}]`;
  const parts = [...v.entries(from)].map(
    ([key, item]) => `${jsonString(key)}:${encodeJson(item, depth + 1)}`,
  );
  return `{${parts.join(",")}}`;
}

const goEscapes = /[<>&\u2028\u2029]/g;

export function jsonString(text: string): string {
  return JSON.stringify(text).replace(
    goEscapes,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A JSON tree as a value of the type that its form implies: objects and tuples. */
export function fromJson(json: unknown, depth = 0): Value {
  if (depth > maxDepth) throw new ValueError("JSON is nested too deeply");
  if (json === null || json === undefined) return v.nullOf();
  if (typeof json === "string") return v.str(json);
  if (typeof json === "boolean") return v.bool(json);
  if (typeof json === "number") return v.double(json);
  if (Array.isArray(json)) return v.tuple(json.map((item) => fromJson(item, depth + 1)));
  if (typeof json === "object") {
    return v.object(Object.entries(json).map(([key, item]) => [key, fromJson(item, depth + 1)] as const));
  }
  throw new ValueError("not JSON");
}

/** Reads JSON text, keeping all digits of its numbers. */
export function decodeJson(text: string): Value {
  let parsed: unknown;
  const numbers = new Map<object, string>();
  try {
    parsed = JSON.parse(text, (_key, item: unknown, context?: { source?: string }) => {
      if (typeof item !== "number" || context?.source === undefined) return item;
      if (Number.isSafeInteger(item) || String(item) === context.source) return item;
      const boxed = {};
      numbers.set(boxed, context.source);
      return boxed;
    });
  } catch (error) {
    throw new ValueError(`not valid JSON: ${error instanceof Error ? error.message : "error"}`);
  }
  const build = (json: unknown, depth: number): Value => {
    if (depth > maxDepth) throw new ValueError("JSON is nested too deeply");
    if (typeof json === "object" && json !== null) {
      const source = numbers.get(json);
      if (source !== undefined) return v.num(parseNum(source) ?? { m: 0n, e: 0 });
      if (Array.isArray(json)) return v.tuple(json.map((item) => build(item, depth + 1)));
      return v.object(Object.entries(json).map(([key, item]) => [key, build(item, depth + 1)] as const));
    }
    return typeof json === "number" ? v.num(parseNum(String(json)) ?? { m: 0n, e: 0 }) : fromJson(json);
  };
  return build(parsed, 0);
}

export type JsonTree =
  | null
  | boolean
  | number
  | string
  | readonly JsonTree[]
  | { readonly [key: string]: JsonTree };

/** The value as a JSON tree; unknown parts become what `unknown` gives (undefined leaves an object's key out). */
export function toJson(from: Value, unknown: JsonTree | undefined = null): JsonTree | undefined {
  const { content } = from;
  if (content === undefined) return unknown;
  if (content === null || typeof content === "string" || typeof content === "boolean") return content;
  if (v.isNum(content)) return toDouble(content);
  if (Array.isArray(content)) return content.map((item) => toJson(item, unknown) ?? null);
  const out: [string, JsonTree][] = [];
  for (const [key, item] of v.entries(from)) {
    const json = toJson(item, unknown);
    if (json !== undefined) out.push([key, json]);
  }
  return Object.fromEntries(out);
}
