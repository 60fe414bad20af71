/** Reading blocks of which parts may be unknown or wrong: a preview shows what it can. */
import { convert } from "../cty/convert.ts";
import { formatNum, toDouble } from "../cty/number.ts";
import * as t from "../cty/type.ts";
import * as v from "../cty/value.ts";
import { ValueError, type Value } from "../cty/value.ts";
import type { Block, Body, Expression } from "../hcl/ast.ts";
import { evaluate, pairs } from "../hcl/evaluate.ts";
import type { Scope } from "../hcl/scope.ts";
import { HclError } from "../hcl/source.ts";
import { references } from "../module/references.ts";

const maxBlocks = 2000;

/** Undefined where it cannot be evaluated at all. */
export function attempt(expression: Expression | undefined, scope: Scope): Value | undefined {
  if (!expression) return undefined;
  try {
    return evaluate(expression, scope);
  } catch (error) {
    if (error instanceof HclError || error instanceof ValueError) return undefined;
    throw error;
  }
}

export type TextState =
  | { readonly kind: "absent" | "null" | "unresolved" | "unknown" }
  | { readonly kind: "text"; readonly text: string; readonly type: t.Type }
  | { readonly kind: "other"; readonly type: t.Type };

/** How an attribute's value may serve as text. What is unknown and of no known type counts as unresolved. */
export function textState(expression: Expression | undefined, scope: Scope): TextState {
  if (!expression) return { kind: "absent" };
  const value = attempt(expression, scope);
  return value === undefined ? { kind: "unresolved" } : valueState(value);
}

export function valueState(value: Value): TextState {
  const { content, type } = value;
  if (content === null) return { kind: "null" };
  if (content === undefined) return type.kind === "dynamic" ? { kind: "unresolved" } : { kind: "unknown" };
  if (typeof content === "string") return { kind: "text", text: content, type };
  if (typeof content === "boolean") return { kind: "text", text: String(content), type };
  if (v.isNum(content)) return { kind: "text", text: formatNum(content), type };
  return { kind: "other", type };
}

export interface Reader {
  readonly body: Body;
  readonly scope: Scope;
  text(name: string): string;
  flag(name: string): boolean;
  number(name: string): number | null;
  state(name: string): TextState;
  has(name: string): boolean;
  blocks(name: string): Reader[];
}

export function reader(body: Body, scope: Scope): Reader {
  const expression = (name: string): Expression | undefined => body.attributes.get(name)?.value;
  const value = (name: string): Value["content"] => attempt(expression(name), scope)?.content;
  return {
    body,
    scope,
    text(name) {
      const state = textState(expression(name), scope);
      return state.kind === "text" ? state.text : "";
    },
    flag(name) {
      const content = value(name);
      return content === true || content === "true";
    },
    number(name) {
      const found = attempt(expression(name), scope);
      if (!found) return null;
      try {
        const { content } = convert(found, t.number);
        return v.isNum(content) ? toDouble(content) : null;
      } catch (error) {
        if (error instanceof ValueError) return null;
        throw error;
      }
    },
    state: (name) => textState(expression(name), scope),
    has: (name) => body.attributes.has(name),
    blocks: (name) => nested(body, name, scope),
  };
}

/** Blocks of a kind, `dynamic` ones expanded as far as they are known. */
function nested(body: Body, name: string, scope: Scope): Reader[] {
  // As upstream's form, which sees no blocks in JSON syntax.
  const out: Reader[] = [];
  for (const block of body.blocks) {
    if (out.length >= maxBlocks) break;
    if (block.type === name) out.push(reader(block.body, scope));
    else if (block.type === "dynamic" && block.labels[0] === name) {
      out.push(...dynamicBlocks(block, name, scope));
    }
  }
  return out;
}

function dynamicBlocks(block: Block, type: string, scope: Scope): Reader[] {
  const content = block.body.blocks.find((inner) => inner.type === "content");
  const over = attempt(block.body.attributes.get("for_each")?.value, scope);
  if (!content || !over || !v.isContainer(over)) return [];
  const iterator = block.body.attributes.get("iterator")?.value;
  const name = iterator?.kind === "variable" ? iterator.name : type;
  return pairs(over)
    .slice(0, maxBlocks)
    .map(([key, value]) => {
      const bound = v.object([
        ["key", key],
        ["value", value],
      ]);
      return reader(content.body, {
        budget: scope.budget,
        function: (fn) => scope.function(fn),
        lookup: (root, path, range) =>
          root === name ? { value: bound, used: 0 } : scope.lookup(root, path, range),
      });
    });
}

/** `a.b, c.d`: what an expression mentions, for messages. */
export const mentioned = (expression: Expression | undefined): string =>
  expression
    ? [...new Set(references(expression).map(({ root, path }) => [root, ...path].join(".")))].join(", ")
    : "";
