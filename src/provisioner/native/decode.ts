/** A resource's block and its schema → the configuration as a value. Collects everything that is wrong with it. */
import { convert } from "#preview/cty/convert.ts";
import * as t from "#preview/cty/type.ts";
import * as v from "#preview/cty/value.ts";
import { ValueError, type Value } from "#preview/cty/value.ts";
import { type Block, type Body, headRange, rangeOf } from "#preview/hcl/ast.ts";
import { evaluate, pairs } from "#preview/hcl/evaluate.ts";
import { jsonBlocks } from "#preview/hcl/json-syntax.ts";
import type { Scope } from "#preview/hcl/scope.ts";
import { type Diagnostic, HclError, type Range } from "#preview/hcl/source.ts";
import { metaAttributes, metaBlocks } from "#preview/module/config.ts";
import { type Schema, schemaType } from "./schema.ts";

export interface Decoded {
  readonly config: Value;
  readonly diagnostics: readonly Diagnostic[];
}

const maxBlocks = 10_000;

/** `top` is true for the resource itself, whose body has meta-arguments too. */
export function decodeBody(body: Body, schema: Schema, scope: Scope, place: Range, top = true): Decoded {
  const diagnostics: Diagnostic[] = [];
  const fail = (summary: string, detail: string, range: Range): void => {
    diagnostics.push({ severity: "error", summary, detail, range });
  };
  const out: [string, Value][] = [];
  for (const [name, attribute] of Object.entries(schema.attributes)) {
    const given = body.attributes.get(name);
    if (!given) {
      if (attribute.required) {
        fail(
          "Missing required argument",
          `The argument ${JSON.stringify(name)} is required, but no definition was found.`,
          place,
        );
      }
      out.push([name, v.nullOf(attribute.type)]);
      continue;
    }
    const range = rangeOf(given.value);
    if (!attribute.required && !attribute.optional) {
      fail(
        "Value for unconfigurable attribute",
        `Can't configure a value for ${JSON.stringify(name)}: its value will be decided automatically.`,
        range,
      );
    }
    const value = guarded(
      () => convert(evaluate(given.value, scope), attribute.type),
      name,
      range,
      diagnostics,
    );
    if (attribute.required && value.content === null) {
      fail(
        "Missing required argument",
        `The argument ${JSON.stringify(name)} is required, but it is null.`,
        range,
      );
    }
    out.push([name, value]);
  }
  const groups = new Map<string, Nested>();
  for (const [name, nested] of Object.entries(schema.blocks)) {
    groups.set(name, { nested, values: [], places: [], unknown: false });
  }
  const known = (name: string): boolean =>
    Object.hasOwn(schema.attributes, name) ||
    (top && metaAttributes.has(name)) ||
    (body.json === true && groups.has(name));
  for (const attribute of body.attributes.values()) {
    if (!known(attribute.name)) {
      fail(
        "Unsupported argument",
        `An argument named ${JSON.stringify(attribute.name)} is not expected here.`,
        rangeOf(attribute),
      );
    } else if (body.json && groups.has(attribute.name)) {
      const group = groups.get(attribute.name);
      for (const block of jsonBlocks(attribute, attribute.name)) {
        if (group) addBlock(group, block.body, scope, place, diagnostics);
      }
    }
  }
  for (const block of body.blocks) {
    if (top && metaBlocks.has(block.type)) continue;
    if (block.type === "dynamic") addDynamic(groups, block, scope, diagnostics);
    else {
      const group = groups.get(block.type);
      if (group) addBlock(group, block.body, scope, headRange(block), diagnostics);
      else {
        fail(
          "Unsupported block type",
          `Blocks of type ${JSON.stringify(block.type)} are not expected here.`,
          headRange(block),
        );
      }
    }
  }
  for (const [name, group] of groups) out.push([name, finish(name, group, fail, place)]);
  return { config: v.object(out), diagnostics };
}

interface Nested {
  readonly nested: Schema["blocks"][string];
  readonly values: Value[];
  /** Where each of the values stands. */
  readonly places: Range[];
  unknown: boolean;
}

function guarded(make: () => Value, name: string, range: Range, diagnostics: Diagnostic[]): Value {
  try {
    return make();
  } catch (error) {
    if (error instanceof HclError) diagnostics.push(error.diagnostic);
    else if (error instanceof ValueError) {
      diagnostics.push({
        severity: "error",
        summary: "Incorrect attribute value type",
        detail: `Inappropriate value for attribute ${JSON.stringify(name)}: ${error.message}.`,
        range,
      });
    } else throw error;
    return v.unknownOf();
  }
}

function addBlock(group: Nested, body: Body, scope: Scope, place: Range, diagnostics: Diagnostic[]): void {
  if (group.values.length >= maxBlocks) {
    diagnostics.push({
      severity: "error",
      summary: "Too many blocks",
      detail: `At most ${maxBlocks} blocks are read.`,
      range: place,
    });
    return;
  }
  const inner = decodeBody(body, group.nested.schema, scope, place, false);
  diagnostics.push(...inner.diagnostics);
  group.values.push(inner.config);
  group.places.push(place);
}

/** `dynamic "x" { for_each, iterator, content {} }` */
function addDynamic(
  groups: ReadonlyMap<string, Nested>,
  block: Block,
  scope: Scope,
  diagnostics: Diagnostic[],
): void {
  const [type = ""] = block.labels;
  const group = groups.get(type);
  const content = block.body.blocks.find((inner) => inner.type === "content");
  const each = block.body.attributes.get("for_each");
  if (!group || !content || !each) {
    diagnostics.push({
      severity: "error",
      summary: group ? "Invalid dynamic block" : "Unsupported block type",
      detail: group
        ? "A dynamic block needs for_each and a content block."
        : `Blocks of type ${JSON.stringify(type)} are not expected here.`,
      range: headRange(block),
    });
    return;
  }
  const over = guarded(() => evaluate(each.value, scope), "for_each", rangeOf(each.value), diagnostics);
  if (over.content === undefined) {
    group.unknown = true;
    return;
  }
  const iterator = block.body.attributes.get("iterator")?.value;
  const name = iterator?.kind === "variable" ? iterator.name : type;
  const items = guarded(
    () =>
      over.content === null
        ? fail("the for_each of a dynamic block is null")
        : v.tuple(pairs(over).map((pair) => v.tuple(pair))),
    "for_each",
    rangeOf(each.value),
    diagnostics,
  );
  for (const pair of v.items(items)) {
    const [key = v.nullOf(), value = v.nullOf()] = v.items(pair);
    const bound = v.object([
      ["key", v.mark(key, over.sensitive)],
      ["value", v.mark(value, over.sensitive)],
    ]);
    const inner: Scope = {
      budget: scope.budget,
      function: (fn) => scope.function(fn),
      lookup: (root, path, range) =>
        root === name ? { value: bound, used: 0 } : scope.lookup(root, path, range),
    };
    addBlock(group, content.body, inner, headRange(block), diagnostics);
  }
}

function fail(message: string): never {
  throw new ValueError(message);
}

function finish(
  name: string,
  { nested, values, places, unknown }: Nested,
  complain: (summary: string, detail: string, range: Range) => void,
  place: Range,
): Value {
  const of = schemaType(nested.schema);
  const type = nested.nesting === "set" ? t.set(of) : t.list(of);
  if (unknown) return v.unknownOf(type);
  if (nested.min !== undefined && values.length < nested.min) {
    complain(
      `Insufficient ${name} blocks`,
      `At least ${nested.min} ${JSON.stringify(name)} blocks are required.`,
      place,
    );
  }
  if (nested.max !== undefined && values.length > nested.max) {
    complain(
      `Too many ${name} blocks`,
      `No more than ${nested.max} ${JSON.stringify(name)} blocks are allowed`,
      places[nested.max] ?? place,
    );
  }
  return nested.nesting === "set" ? v.set(of, values) : v.list(of, values);
}
