/** Variables of a `.tf.json` file: `{"variable": {"name": {"type": …, "default": …}}}`, lists of such included. */
import { HclError } from "#preview/hcl/source.ts";
import { goJson } from "./go-json.ts";
import type { VariableFacts } from "./parse.ts";

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON syntax writes a block as an object, or as a list of objects. */
function objects(value: unknown): Json[] {
  return (Array.isArray(value) ? value : [value]).filter(isObject);
}

function facts(file: string, line: number, name: string, block: Json): VariableFacts {
  const { description, type, default: fallback, sensitive } = block;
  const text = typeof fallback === "string" ? fallback : fallback === null ? null : goJson(fallback);
  return {
    file,
    line,
    name,
    ...(typeof description === "string" ? { description } : {}),
    ...(typeof type === "string" ? { type } : {}),
    ...(fallback === undefined ? {} : { default: text }),
    ...(typeof sensitive === "boolean" ? { sensitive } : {}),
  };
}

/** JSON.parse keeps no places: the order in the file stands in for the line. Throws HclError on malformed JSON. */
export function jsonVariables(file: string, text: string): VariableFacts[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new HclError("Invalid JSON", cause instanceof Error ? cause.message : String(cause), {
      file,
      start: { line: 1, column: 1, offset: 0 },
      end: { line: 1, column: 1, offset: 0 },
    });
  }
  const out: VariableFacts[] = [];
  for (const root of objects(json)) {
    for (const variables of objects(root["variable"])) {
      for (const [name, value] of Object.entries(variables)) {
        for (const block of objects(value)) out.push(facts(file, out.length + 1, name, block));
      }
    }
  }
  return out;
}
