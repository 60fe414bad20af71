/** Token stream → expressions, by precedence climbing. */
import * as v from "../cty/value.ts";
import { parseNum } from "../cty/number.ts";
import type { BinaryOp, Expression } from "./ast.ts";
import type { Lexer } from "./lexer.ts";
import { type ForHead, type Grammar, parseHeredoc, parseQuoted } from "./template.ts";

/** Deeper nesting is refused: it would overflow the stack here and while evaluating. */
const maxDepth = 250;

const precedence: Readonly<Record<BinaryOp, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<": 4,
  ">": 4,
  "<=": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
};

const isBinaryOp = (text: string): text is BinaryOp => Object.hasOwn(precedence, text);

export function parseExpression(lexer: Lexer, depth: number): Expression {
  if (depth > maxDepth) lexer.fail("Nesting too deep", `Expressions may be nested ${maxDepth} deep.`);
  const condition = parseBinary(lexer, 0, depth);
  if (!lexer.take("?")) return condition;
  const yes = parseExpression(lexer, depth + 1);
  lexer.expect(":", "between the two results of a conditional");
  const no = parseExpression(lexer, depth + 1);
  return {
    kind: "conditional",
    condition,
    yes,
    no,
    source: lexer.source,
    start: condition.start,
    end: no.end,
  };
}

function parseBinary(lexer: Lexer, above: number, depth: number): Expression {
  let left = parseUnary(lexer, depth);
  for (let count = 0; ; count += 1) {
    const token = lexer.peek();
    if (token.kind !== "operator" || !isBinaryOp(token.text)) return left;
    const op = token.text;
    if (precedence[op] <= above) return left;
    // A chain of operators nests to the left, one level each.
    if (depth + count > maxDepth * 4) lexer.fail("Nesting too deep", "Too many operators in one expression.");
    lexer.next();
    const right = parseBinary(lexer, precedence[op], depth + 1);
    left = { kind: "binary", op, left, right, source: lexer.source, start: left.start, end: right.end };
  }
}

function parseUnary(lexer: Lexer, depth: number): Expression {
  if (depth > maxDepth) lexer.fail("Nesting too deep", `Expressions may be nested ${maxDepth} deep.`);
  const token = lexer.peek();
  if (token.kind === "operator" && (token.text === "!" || token.text === "-")) {
    lexer.next();
    const of = parseUnary(lexer, depth + 1);
    return { kind: "unary", op: token.text, of, source: lexer.source, start: token.start, end: of.end };
  }
  return parseTraversals(lexer, parseTerm(lexer, depth), depth);
}

/** `.name`, `.0`, `.*`, `[key]`, `[*]` after a term. */
function parseTraversals(lexer: Lexer, from: Expression, depth: number): Expression {
  const { source } = lexer;
  let of = from;
  for (let count = 0; ; count += 1) {
    if (count > maxDepth) lexer.fail("Nesting too deep", "Too many steps in one traversal.");
    if (lexer.isOperator(".")) {
      lexer.next();
      const token = lexer.peek();
      if (token.kind === "identifier") {
        lexer.next();
        of = { kind: "attribute", of, name: token.text, source, start: of.start, end: token.end };
      } else if (token.kind === "number") {
        lexer.next();
        // `.0.1` reads as one number.
        for (const part of token.text.split(".")) of = legacyIndex(lexer, of, part, token.end);
      } else if (lexer.take("*")) {
        of = parseAttributeSplat(lexer, of);
      } else lexer.unexpected("expected an attribute's name after the dot");
    } else if (lexer.isOperator("[")) {
      of = parseBracket(lexer, of, depth);
    } else return of;
  }
}

function legacyIndex(lexer: Lexer, of: Expression, digits: string, end: number): Expression {
  const index = parseNum(digits);
  if (!index) return lexer.unexpected("expected a whole number as index");
  const key: Expression = { kind: "literal", value: v.num(index), source: lexer.source, start: end, end };
  return { kind: "index", of, key, legacy: true, source: lexer.source, start: of.start, end };
}

/** After `.*` only attribute steps belong to the splat; an index applies to its result. */
function parseAttributeSplat(lexer: Lexer, of: Expression): Expression {
  const { source } = lexer;
  let each: Expression = { kind: "item", source, start: lexer.lastEnd, end: lexer.lastEnd };
  while (lexer.isOperator(".")) {
    lexer.next();
    const token = lexer.peek();
    if (token.kind === "number") {
      lexer.next();
      for (const part of token.text.split(".")) each = legacyIndex(lexer, each, part, token.end);
      continue;
    }
    const name = lexer.identifier("after the dot");
    each = { kind: "attribute", of: each, name: name.text, source, start: each.start, end: name.end };
  }
  return { kind: "splat", of, each, source, start: of.start, end: lexer.lastEnd };
}

function parseBracket(lexer: Lexer, of: Expression, depth: number): Expression {
  const { source } = lexer;
  lexer.next();
  const key = lexer.withNewlines(false, (): Expression | undefined => {
    if (lexer.take("*")) {
      lexer.expect("]", "to end the splat");
      return undefined;
    }
    const inner = parseExpression(lexer, depth + 1);
    lexer.expect("]", "to end the index");
    return inner;
  });
  if (key) return { kind: "index", of, key, source, start: of.start, end: lexer.lastEnd };
  const item: Expression = { kind: "item", source, start: lexer.lastEnd, end: lexer.lastEnd };
  const each = parseTraversals(lexer, item, depth + 1);
  return { kind: "splat", of, each, source, start: of.start, end: lexer.lastEnd };
}

function parseTerm(lexer: Lexer, depth: number): Expression {
  const { source } = lexer;
  const token = lexer.peek();
  const at = { source, start: token.start, end: token.end };
  switch (token.kind) {
    case "number": {
      lexer.next();
      const value = parseNum(token.text);
      if (!value) {
        return lexer.fail("Invalid number", `${token.text} cannot be read.`, token.start, token.end);
      }
      return { kind: "literal", value: v.num(value), ...at };
    }
    case "quote":
      return parseQuoted(lexer, depth, grammar);
    case "heredoc":
      return parseHeredoc(lexer, depth, grammar);
    case "identifier":
      return parseName(lexer, depth);
    case "operator":
      if (token.text === "(") {
        lexer.next();
        const inner = lexer.withNewlines(false, () => {
          const expression = parseExpression(lexer, depth + 1);
          lexer.expect(")", "to close the parenthesis");
          return expression;
        });
        return { kind: "wrap", inner, source, start: token.start, end: lexer.lastEnd };
      }
      if (token.text === "[") return parseTuple(lexer, depth);
      if (token.text === "{") return parseObject(lexer, depth);
      return lexer.unexpected("expected the start of an expression");
    default:
      return lexer.unexpected("expected the start of an expression");
  }
}

const keywords: Readonly<Record<string, v.Value>> = {
  true: v.bool(true),
  false: v.bool(false),
  null: v.nullOf(),
};

function parseName(lexer: Lexer, depth: number): Expression {
  const { source } = lexer;
  const token = lexer.next();
  let name = token.text;
  while (lexer.take("::")) name += `::${lexer.identifier("of a function").text}`;
  if (lexer.isOperator("(") || name.includes("::")) return parseCall(lexer, name, token.start, depth);
  const at = { source, start: token.start, end: token.end };
  const value = Object.hasOwn(keywords, name) ? keywords[name] : undefined;
  return value ? { kind: "literal", value, ...at } : { kind: "variable", name, ...at };
}

function parseCall(lexer: Lexer, name: string, start: number, depth: number): Expression {
  lexer.expect("(", "to begin the arguments");
  const args: Expression[] = [];
  let expand = false;
  lexer.withNewlines(false, () => {
    while (!lexer.isOperator(")")) {
      args.push(parseExpression(lexer, depth + 1));
      if (lexer.take("...")) {
        expand = true;
        lexer.take(",");
        break;
      }
      if (!lexer.take(",")) break;
    }
    lexer.expect(")", "to end the arguments");
  });
  return { kind: "call", name, args, expand, source: lexer.source, start, end: lexer.lastEnd };
}

function parseTuple(lexer: Lexer, depth: number): Expression {
  const { source } = lexer;
  const open = lexer.next();
  return lexer.withNewlines(false, (): Expression => {
    if (atFor(lexer)) return parseFor(lexer, open.start, "]", depth);
    const items: Expression[] = [];
    while (!lexer.isOperator("]")) {
      items.push(parseExpression(lexer, depth + 1));
      if (!lexer.take(",")) break;
    }
    lexer.expect("]", "to end the list");
    return { kind: "tuple", items, source, start: open.start, end: lexer.lastEnd };
  });
}

function atFor(lexer: Lexer): boolean {
  const token = lexer.peek();
  if (token.kind !== "identifier" || token.text !== "for") return false;
  // `{ for = 1 }` is an object.
  const rest = /^\s*[=:](?![=>])/.test(lexer.source.text.slice(token.end, token.end + 64));
  return !rest;
}

function parseObject(lexer: Lexer, depth: number): Expression {
  const { source } = lexer;
  const open = lexer.next();
  if (lexer.withNewlines(false, () => atFor(lexer))) {
    return lexer.withNewlines(false, () => parseFor(lexer, open.start, "}", depth));
  }
  return lexer.withNewlines(true, (): Expression => {
    const items: { key: Expression; value: Expression }[] = [];
    for (;;) {
      lexer.skipNewlines();
      if (lexer.isOperator("}")) break;
      const key = parseKey(lexer, depth);
      if (!lexer.take("=") && !lexer.take(":")) lexer.unexpected('expected "=" after the key');
      const value = parseExpression(lexer, depth + 1);
      items.push({ key, value });
      if (lexer.isOperator("}")) break;
      if (lexer.take(",")) continue;
      if (lexer.peek().kind !== "newline") lexer.unexpected("expected a comma or a newline after the item");
    }
    lexer.expect("}", "to end the object");
    return { kind: "object", items, source, start: open.start, end: lexer.lastEnd };
  });
}

/** A name alone is a literal key; `(name)` is its value. */
function parseKey(lexer: Lexer, depth: number): Expression {
  const token = lexer.peek();
  if (token.kind === "identifier") {
    const after = /^[ \t]*[=:](?!=)/.test(lexer.source.text.slice(token.end, token.end + 256));
    if (after) {
      lexer.next();
      return {
        kind: "literal",
        value: v.str(token.text),
        source: lexer.source,
        start: token.start,
        end: token.end,
      };
    }
  }
  return parseExpression(lexer, depth + 1);
}

/** The rest of `[for …]` or `{for …}` after its bracket. */
function parseFor(lexer: Lexer, start: number, close: "]" | "}", depth: number): Expression {
  const { source } = lexer;
  lexer.next();
  const head = parseForHead(lexer, depth);
  lexer.expect(":", "after the collection of the for expression");
  let value = parseExpression(lexer, depth + 1);
  let key: Expression | undefined;
  let group = false;
  if (lexer.take("=>")) {
    if (close === "]") lexer.unexpected("a list's for expression has no key");
    key = value;
    value = parseExpression(lexer, depth + 1);
    if (lexer.take("...")) group = true;
  } else if (close === "}") lexer.unexpected('expected "=>" after the key');
  let condition: Expression | undefined;
  const token = lexer.peek();
  if (token.kind === "identifier" && token.text === "if") {
    lexer.next();
    condition = parseExpression(lexer, depth + 1);
  }
  lexer.expect(close, "to end the for expression");
  return {
    kind: "for",
    ...head,
    value,
    ...(key ? { key } : {}),
    group,
    ...(condition ? { condition } : {}),
    source,
    start,
    end: lexer.lastEnd,
  };
}

/** `k, v in collection` */
function parseForHead(lexer: Lexer, depth: number): ForHead {
  const first = lexer.identifier("after for").text;
  const second = lexer.take(",") ? lexer.identifier("of the value").text : undefined;
  const word = lexer.identifier('"in"');
  if (word.text !== "in") lexer.fail("Invalid syntax", 'Expected "in" here.', word.start, word.end);
  const over = parseExpression(lexer, depth + 1);
  return second === undefined ? { valueName: first, over } : { keyName: first, valueName: second, over };
}

export const grammar: Grammar = { expression: parseExpression, forHead: parseForHead };
