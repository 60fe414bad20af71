/** Which names an expression mentions. */
import { type Block, type Body, type Expression, rangeOf } from "../hcl/ast.ts";
import type { Reference } from "./config.ts";

export function references(expression: Expression): Reference[] {
  const out: Reference[] = [];
  walk(expression, new Set(), out);
  return out;
}

function walk(expression: Expression, bound: ReadonlySet<string>, out: Reference[]): void {
  switch (expression.kind) {
    case "literal":
    case "item":
      return;
    case "wrap":
      return walk(expression.inner, bound, out);
    case "variable":
    case "attribute":
    case "index":
      return walkTraversal(expression, bound, out);
    case "splat":
      walk(expression.of, bound, out);
      return walk(expression.each, bound, out);
    case "unary":
      return walk(expression.of, bound, out);
    case "binary":
      walk(expression.left, bound, out);
      return walk(expression.right, bound, out);
    case "conditional":
      walk(expression.condition, bound, out);
      walk(expression.yes, bound, out);
      return walk(expression.no, bound, out);
    case "template":
      for (const part of expression.parts) walk(part, bound, out);
      return;
    case "call":
      for (const arg of expression.args) walk(arg, bound, out);
      return;
    case "tuple":
      for (const item of expression.items) walk(item, bound, out);
      return;
    case "object":
      for (const item of expression.items) {
        walk(item.key, bound, out);
        walk(item.value, bound, out);
      }
      return;
    case "for": {
      walk(expression.over, bound, out);
      const inner = new Set(bound).add(expression.valueName);
      if (expression.keyName !== undefined) inner.add(expression.keyName);
      for (const part of [expression.key, expression.value, expression.condition]) {
        if (part) walk(part, inner, out);
      }
    }
  }
}

/** Names along `a.b[0].c`; indexes are skipped, and what they mention is walked too. */
function walkTraversal(expression: Expression, bound: ReadonlySet<string>, out: Reference[]): void {
  const path: string[] = [];
  let root = expression;
  while (root.kind === "attribute" || root.kind === "index") {
    if (root.kind === "attribute") path.unshift(root.name);
    else walk(root.key, bound, out);
    root = root.of;
  }
  if (root.kind !== "variable") return walk(root, bound, out);
  if (!bound.has(root.name)) out.push({ root: root.name, path, range: rangeOf(expression) });
}

/** Of every expression in a body, nested blocks and `dynamic` blocks included. */
export function bodyReferences(body: Body, skip: (block: Block) => boolean = () => false): Reference[] {
  const out: Reference[] = [];
  for (const attribute of body.attributes.values()) walk(attribute.value, new Set(), out);
  for (const block of body.blocks) {
    if (skip(block)) continue;
    const inner = bodyReferences(block.body, skip);
    if (block.type !== "dynamic") {
      out.push(...inner);
      continue;
    }
    const iterator = block.body.attributes.get("iterator")?.value;
    const name = iterator?.kind === "variable" ? iterator.name : block.labels[0];
    out.push(...inner.filter((reference) => reference.root !== name));
  }
  return out;
}
