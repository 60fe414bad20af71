/** Token stream → bodies, attributes and blocks. Whoever reads a `.tf` or `.tfvars` file calls `parseFile`. */
import type { Attribute, Block, Body, Expression } from "./ast.ts";
import { grammar, parseExpression } from "./expression.ts";
import { Lexer } from "./lexer.ts";
import { type Diagnostic, HclError, Source } from "./source.ts";
import { parseQuotedLiteral, parseTemplateText } from "./template.ts";

/** A file larger than this is refused: templates are kilobytes. */
const maxFileLength = 8 * 1024 * 1024;
const maxBlockDepth = 64;

export interface ParsedFile {
  readonly source: Source;
  /** Absent if the file has a syntax error. */
  readonly body?: Body;
  readonly diagnostics: readonly Diagnostic[];
}

export function parseFile(file: string, text: string): ParsedFile {
  const source = new Source(file, text);
  return guarded(source, () => {
    const lexer = new Lexer(source);
    const body = parseBody(lexer, 0);
    if (lexer.peek().kind !== "end") lexer.unexpected("expected an argument or a block");
    return body;
  });
}

function guarded(source: Source, parse: () => Body): ParsedFile {
  if (source.text.length > maxFileLength) {
    const detail = `The file has ${source.text.length} characters, at most ${maxFileLength} are read.`;
    return {
      source,
      diagnostics: [new HclError("File is too large", detail, source.range(0, 0)).diagnostic],
    };
  }
  try {
    return { source, body: parse(), diagnostics: [] };
  } catch (error) {
    if (error instanceof HclError) return { source, diagnostics: [error.diagnostic] };
    throw error;
  }
}

/** One expression alone, such as the value of a variable given as text. Throws `HclError`. */
export function parseExpressionText(text: string, file = "expression"): Expression {
  const lexer = new Lexer(new Source(file, text));
  const expression = lexer.withNewlines(false, () => parseExpression(lexer, 0));
  if (lexer.withNewlines(false, () => lexer.peek()).kind !== "end") lexer.unexpected("expected the end");
  return expression;
}

/** A whole text as a template (`templatefile`). Throws `HclError`. */
export function parseTemplate(text: string, file: string): Expression {
  return parseTemplateText(new Source(file, text), grammar);
}

function parseBody(lexer: Lexer, depth: number): Body {
  if (depth > maxBlockDepth) lexer.fail("Nesting too deep", `Blocks may be nested ${maxBlockDepth} deep.`);
  const attributes = new Map<string, Attribute>();
  const blocks: Block[] = [];
  for (;;) {
    lexer.skipNewlines();
    const token = lexer.peek();
    if (token.kind === "end" || (token.kind === "operator" && token.text === "}")) {
      return { attributes, blocks, source: lexer.source, end: token.start };
    }
    parseItem(lexer, { attributes, blocks }, depth);
    const after = lexer.peek();
    if (after.kind === "newline" || after.kind === "end") continue;
    lexer.unexpected("expected a newline after this definition");
  }
}

interface Items {
  readonly attributes: Map<string, Attribute>;
  readonly blocks: Block[];
}

function parseItem(lexer: Lexer, into: Items, depth: number): void {
  const name = lexer.identifier("of an argument or a block");
  if (lexer.take("=")) {
    const value = parseExpression(lexer, 0);
    if (into.attributes.has(name.text)) {
      lexer.fail(
        "Attribute redefined",
        `The argument ${JSON.stringify(name.text)} was already set. Each argument may be set only once.`,
        name.start,
        name.end,
      );
    }
    into.attributes.set(name.text, {
      name: name.text,
      value,
      source: lexer.source,
      start: name.start,
      end: value.end,
    });
    return;
  }
  const labels: string[] = [];
  for (;;) {
    const token = lexer.peek();
    if (token.kind === "identifier") labels.push(lexer.next().text);
    else if (token.kind === "quote") labels.push(parseQuotedLiteral(lexer, grammar));
    else break;
  }
  const headEnd = lexer.lastEnd;
  lexer.expect("{", 'to begin the block, or "=" to set an argument');
  const body = parseBlockBody(lexer, depth);
  into.blocks.push({
    type: name.text,
    labels,
    body,
    source: lexer.source,
    start: name.start,
    headEnd,
    end: lexer.lastEnd,
  });
}

function parseBlockBody(lexer: Lexer, depth: number): Body {
  const body = lexer.withNewlines(true, () => {
    if (lexer.peek().kind === "newline" || lexer.isOperator("}")) return parseBody(lexer, depth + 1);
    // The one-line form holds at most one argument.
    const items: Items = { attributes: new Map(), blocks: [] };
    parseItem(lexer, items, depth + 1);
    const [nested] = items.blocks;
    if (nested) {
      lexer.fail(
        "Invalid single-argument block definition",
        "A block on one line holds one argument; blocks inside of it need lines of their own.",
        nested.start,
        nested.headEnd,
      );
    }
    return { ...items, source: lexer.source, end: lexer.at };
  });
  lexer.expect("}", "to end the block");
  return body;
}
