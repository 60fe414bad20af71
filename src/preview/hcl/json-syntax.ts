/**
 * `.tf.json` files as bodies. Strings are templates. Which properties of a resource are blocks only its schema knows:
 * the body says `json`, and decode.ts reads an attribute of objects as blocks where the schema wants blocks.
 */
import * as v from "../cty/value.ts";
import { fromJson } from "../cty/json.ts";
import type { Attribute, Block, Body, Expression } from "./ast.ts";
import { grammar } from "./expression.ts";
import type { ParsedFile } from "./parser.ts";
import { HclError, Source } from "./source.ts";
import { parseTemplateText } from "./template.ts";

const maxDepth = 100;
/** Labels of the blocks of the top level. */
const labelCounts: Readonly<Record<string, number>> = {
  resource: 2,
  data: 2,
  variable: 1,
  output: 1,
  module: 1,
  provider: 1,
  locals: 0,
  terraform: 0,
};

export function parseJsonFile(file: string, text: string): ParsedFile {
  const source = new Source(file, text);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : "not JSON";
    return { source, diagnostics: [new HclError("Invalid JSON", detail, source.range(0, 0)).diagnostic] };
  }
  try {
    const blocks: Block[] = [];
    for (const [type, content] of properties(parsed)) {
      if (type === "//") continue;
      blocks.push(
        ...readBlocks(source, type, content, Object.hasOwn(labelCounts, type) ? (labelCounts[type] ?? 0) : 0),
      );
    }
    return { source, body: { attributes: new Map(), blocks, source, end: text.length }, diagnostics: [] };
  } catch (error) {
    if (error instanceof HclError) return { source, diagnostics: [error.diagnostic] };
    throw error;
  }
}

function properties(json: unknown): [string, unknown][] {
  const items = Array.isArray(json) ? json : [json];
  return items.flatMap((item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) {
      throw new HclError("Invalid JSON configuration", "An object is required here.");
    }
    return Object.entries(item);
  });
}

function readBlocks(
  source: Source,
  type: string,
  content: unknown,
  labels: number,
  given: readonly string[] = [],
): Block[] {
  if (given.length < labels) {
    return properties(content)
      .filter(([label]) => label !== "//")
      .flatMap(([label, inner]) => readBlocks(source, type, inner, labels, [...given, label]));
  }
  const bodies = Array.isArray(content) ? content : [content];
  return bodies.map((body: unknown) => ({
    type,
    labels: given,
    body: jsonBody(source, body),
    source,
    start: 0,
    headEnd: 0,
    end: 0,
  }));
}

function jsonBody(source: Source, json: unknown): Body {
  const attributes = new Map<string, Attribute>();
  for (const [name, content] of properties(json)) {
    if (name === "//") continue;
    attributes.set(name, { name, value: jsonExpression(source, content, 0), source, start: 0, end: 0 });
  }
  return { attributes, blocks: [], source, end: 0, json: true };
}

function jsonExpression(source: Source, json: unknown, depth: number): Expression {
  if (depth > maxDepth) throw new HclError("Nesting too deep", `JSON may be nested ${maxDepth} deep.`);
  const at = { source, start: 0, end: 0 };
  if (typeof json === "string") return template(source, json);
  if (Array.isArray(json)) {
    return { kind: "tuple", items: json.map((item) => jsonExpression(source, item, depth + 1)), ...at };
  }
  if (typeof json === "object" && json !== null) {
    const items = Object.entries(json).map(([key, item]) => ({
      key: template(source, key),
      value: jsonExpression(source, item, depth + 1),
    }));
    return { kind: "object", items, ...at };
  }
  return { kind: "literal", value: fromJson(json), ...at };
}

/** Texts without a sequence stay literals of the file itself. */
function template(source: Source, text: string): Expression {
  if (!/[$%]\{/.test(text)) return { kind: "literal", value: v.str(text), source, start: 0, end: 0 };
  return parseTemplateText(new Source(source.file, text), grammar);
}

/** Reads a JSON attribute as blocks: one object, or a list of them. */
export function jsonBlocks(attribute: Attribute, type: string): Block[] {
  const items = attribute.value.kind === "tuple" ? attribute.value.items : [attribute.value];
  return items.flatMap((item): Block[] => {
    if (item.kind !== "object") return [];
    const attributes = new Map<string, Attribute>();
    for (const { key, value } of item.items) {
      if (key.kind !== "literal" || typeof key.value.content !== "string") continue;
      const name = key.value.content;
      attributes.set(name, { name, value, source: item.source, start: item.start, end: item.end });
    }
    const body: Body = { attributes, blocks: [], source: item.source, end: item.end, json: true };
    return [
      { type, labels: [], body, source: item.source, start: item.start, headEnd: item.start, end: item.end },
    ];
  });
}
