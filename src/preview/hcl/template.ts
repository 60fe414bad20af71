/** Quoted strings, heredocs and template files: literal text, `${ }` and `%{ }` with their `~` marks. */
import * as v from "../cty/value.ts";
import type { Expression } from "./ast.ts";
import { Lexer } from "./lexer.ts";
import { HclError, type Source } from "./source.ts";

/** The expression parser, which itself calls this one for strings. */
export interface Grammar {
  readonly expression: (lexer: Lexer, depth: number) => Expression;
  readonly forHead: (lexer: Lexer, depth: number) => ForHead;
}

export interface ForHead {
  readonly keyName?: string;
  readonly valueName: string;
  readonly over: Expression;
}

type Directive =
  | { readonly word: "if"; readonly condition: Expression }
  | { readonly word: "for"; readonly head: ForHead }
  | { readonly word: "else" | "endif" | "endfor" };

type Part =
  | { readonly kind: "text"; text: string; readonly start: number; readonly end: number }
  | { readonly kind: "value"; readonly inner: Expression; readonly start: number; readonly end: number }
  | {
      readonly kind: "directive";
      readonly directive: Directive;
      readonly start: number;
      readonly end: number;
    };

const maxParts = 20_000;
const maxDepth = 100;

/** Where a literal run ends in this kind of template. */
interface Mode {
  readonly kind: "quoted" | "heredoc" | "bare";
  readonly marker?: string;
}

/** Reads a quoted string that is the lexer's next token. */
export function parseQuoted(lexer: Lexer, depth: number, grammar: Grammar): Expression {
  const open = lexer.next();
  const parts = readParts(lexer, { kind: "quoted" }, depth, grammar);
  return build(lexer.source, parts, open.start, lexer.lastEnd);
}

/** A quoted string without templates (block labels). */
export function parseQuotedLiteral(lexer: Lexer, grammar: Grammar): string {
  const open = lexer.peek();
  const expression = parseQuoted(lexer, 0, grammar);
  if (expression.kind === "literal" && typeof expression.value.content === "string") {
    return expression.value.content;
  }
  return lexer.fail("Invalid string literal", "Templates are not allowed here.", open.start, lexer.lastEnd);
}

export function parseHeredoc(lexer: Lexer, depth: number, grammar: Grammar): Expression {
  const open = lexer.next();
  const flush = open.text.startsWith("<<-");
  const marker = open.text.replace(/^<<-?/, "").trim();
  const parts = readParts(lexer, { kind: "heredoc", marker }, depth, grammar);
  if (flush) removeIndent(parts);
  return build(lexer.source, parts, open.start, lexer.lastEnd);
}

export function parseTemplateText(source: Source, grammar: Grammar): Expression {
  const lexer = new Lexer(source);
  const parts = readParts(lexer, { kind: "bare" }, 0, grammar);
  return build(source, parts, 0, source.text.length);
}

function readParts(lexer: Lexer, mode: Mode, depth: number, grammar: Grammar): Part[] {
  if (depth > maxDepth) lexer.fail("Nesting too deep", `Templates may be nested ${maxDepth} deep.`);
  const { source, limit } = lexer;
  const { text } = source;
  const parts: Part[] = [];
  let at = lexer.at;
  const opened = at;
  let lineStart = true;
  let trimNext = false;
  const finish = (end: number): Part[] => {
    lexer.at = end;
    lexer.lastEnd = end;
    return parts;
  };
  for (;;) {
    if (parts.length > maxParts) {
      lexer.fail("Template too long", `A template may have ${maxParts} parts.`, opened, at);
    }
    if (mode.kind === "heredoc" && lineStart) {
      const newline = text.indexOf("\n", at);
      const lineEnd = newline < 0 ? limit : newline;
      if (text.slice(at, lineEnd).trim() === mode.marker) {
        return finish(text[lineEnd - 1] === "\r" ? lineEnd - 1 : lineEnd);
      }
    }
    if (at >= limit) {
      if (mode.kind === "bare") return finish(at);
      lexer.fail("Unterminated template string", "No closing marker was found for the string.", opened, at);
    }
    if (mode.kind === "quoted" && text[at] === '"') return finish(at + 1);
    const sign = text[at];
    if ((sign === "$" || sign === "%") && text[at + 1] === "{") {
      const start = at;
      lexer.at = at + 2;
      if (text[lexer.at] === "~") {
        lexer.at += 1;
        const last = parts.at(-1);
        if (last?.kind === "text") last.text = last.text.trimEnd();
      }
      parts.push(
        lexer.withNewlines(false, () =>
          sign === "$"
            ? readValue(lexer, start, depth, grammar)
            : readDirective(lexer, start, depth, grammar),
        ),
      );
      trimNext = text[lexer.at - 2] === "~";
      at = lexer.at;
      lineStart = false;
      continue;
    }
    const literal = readLiteral(lexer, mode, at);
    parts.push({
      kind: "text",
      text: trimNext ? literal.text.trimStart() : literal.text,
      start: at,
      end: literal.end,
    });
    trimNext = false;
    lineStart = text[literal.end - 1] === "\n";
    at = literal.end;
  }
}

function readValue(lexer: Lexer, start: number, depth: number, grammar: Grammar): Part {
  const inner = grammar.expression(lexer, depth + 1);
  lexer.take("~");
  lexer.expect("}", "to end the interpolation");
  return { kind: "value", inner, start, end: lexer.at };
}

function readDirective(lexer: Lexer, start: number, depth: number, grammar: Grammar): Part {
  const word = lexer.identifier("of a template directive");
  let directive: Directive;
  switch (word.text) {
    case "if":
      directive = { word: "if", condition: grammar.expression(lexer, depth + 1) };
      break;
    case "for":
      directive = { word: "for", head: grammar.forHead(lexer, depth + 1) };
      break;
    case "else":
    case "endif":
    case "endfor":
      directive = { word: word.text };
      break;
    default:
      return lexer.fail(
        "Invalid template directive",
        `${JSON.stringify(word.text)} is none of if, else, endif, for, endfor.`,
        word.start,
        word.end,
      );
  }
  lexer.take("~");
  lexer.expect("}", "to end the directive");
  return { kind: "directive", directive, start, end: lexer.at };
}

const simpleEscapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

const plainText = /[^$%"\\\n]+/y;

/** Text up to the next sequence or closing quote; outside of quotes at most one line, so that `~` trims no further. */
function readLiteral(
  lexer: Lexer,
  mode: Mode,
  from: number,
): { readonly text: string; readonly end: number } {
  const { text } = lexer.source;
  let out = "";
  let at = from;
  while (at < lexer.limit) {
    const c = text.charAt(at);
    if (c === "$" || c === "%") {
      if (text[at + 1] === "{") break;
      if (text[at + 1] === c && text[at + 2] === "{") {
        out += `${c}{`;
        at += 3;
        continue;
      }
    } else if (mode.kind === "quoted") {
      if (c === '"') break;
      if (c === "\n") {
        lexer.fail("Invalid multi-line string", "Quoted strings may not be split over lines.", at);
      }
      if (c === "\\") {
        const escape = readEscape(lexer, at);
        out += escape.text;
        at = escape.end;
        continue;
      }
    } else if (c === "\n") {
      return { text: `${out}\n`, end: at + 1 };
    }
    // A sign that begins nothing, then everything that is nothing special.
    plainText.lastIndex = at + 1;
    const rest = plainText.exec(text)?.[0].length ?? 0;
    out += text.slice(at, at + 1 + rest);
    at += 1 + rest;
  }
  return { text: out, end: at };
}

function readEscape(lexer: Lexer, at: number): { readonly text: string; readonly end: number } {
  const { text } = lexer.source;
  const c = text.charAt(at + 1);
  const simple = Object.hasOwn(simpleEscapes, c) ? simpleEscapes[c] : undefined;
  if (simple !== undefined) return { text: simple, end: at + 2 };
  const length = c === "u" ? 4 : c === "U" ? 8 : 0;
  const digits = text.slice(at + 2, at + 2 + length);
  const code = Number.parseInt(digits, 16);
  if (length > 0 && digits.length === length && /^[0-9a-fA-F]+$/.test(digits) && code <= 0x10_ffff) {
    return { text: String.fromCodePoint(code), end: at + 2 + length };
  }
  return lexer.fail("Invalid escape sequence", `\\${c} is not an escape sequence.`, at, at + 2);
}

/** `<<-`: takes from every line as many leading blanks as the least indented one has; blank lines do not count. */
function removeIndent(parts: readonly Part[]): void {
  let least = Number.POSITIVE_INFINITY;
  let atLineStart = true;
  const lines: { text: string }[] = [];
  for (const part of parts) {
    if (atLineStart) {
      atLineStart = false;
      if (part.kind !== "text") least = 0;
      else {
        const blank = part.text.length - part.text.trimStart().length;
        if (blank !== part.text.length || !part.text.endsWith("\n")) {
          least = Math.min(least, blank);
          lines.push(part);
        }
      }
    }
    if (part.kind === "text" && part.text.endsWith("\n")) atLineStart = true;
  }
  if (!Number.isFinite(least)) return;
  for (const line of lines) line.text = line.text.slice(least);
}

function build(source: Source, parts: readonly Part[], start: number, end: number): Expression {
  const cursor = { at: 0 };
  const built = buildUntil(source, parts, cursor, [], 0);
  return join(
    source,
    built,
    start,
    end,
    parts.some((part) => part.kind === "directive"),
  );
}

function join(
  source: Source,
  items: readonly Expression[],
  start: number,
  end: number,
  text: boolean,
): Expression {
  const [only] = items;
  const at = { source, start, end };
  if (!only) return { kind: "literal", value: v.str(""), ...at };
  if (items.length === 1 && !text) {
    return only.kind === "literal" && typeof only.value.content === "string"
      ? { ...only, ...at }
      : only.kind === "wrap"
        ? { ...only, ...at }
        : only;
  }
  return { kind: "template", parts: items, ...at };
}

type Ending = "else" | "endif" | "endfor";

function buildUntil(
  source: Source,
  parts: readonly Part[],
  cursor: { at: number },
  endings: readonly Ending[],
  depth: number,
): Expression[] {
  const out: Expression[] = [];
  for (; cursor.at < parts.length;) {
    const part = parts[cursor.at];
    if (!part) break;
    const at = { source, start: part.start, end: part.end };
    if (part.kind === "text") {
      cursor.at += 1;
      if (part.text !== "") out.push({ kind: "literal", value: v.str(part.text), ...at });
    } else if (part.kind === "value") {
      cursor.at += 1;
      out.push({ kind: "wrap", inner: part.inner, ...at });
    } else {
      const { directive } = part;
      if (directive.word === "if" || directive.word === "for") {
        if (depth > maxDepth) {
          throw new HclError("Nesting too deep", "Too many directives.", source.range(part.start, part.end));
        }
        cursor.at += 1;
        out.push(buildDirective(source, parts, cursor, part.start, directive, depth));
      } else if (endings.includes(directive.word)) {
        return out;
      } else {
        throw new HclError(
          "Unexpected template directive",
          `%{ ${directive.word} } has no beginning here.`,
          source.range(part.start, part.end),
        );
      }
    }
  }
  if (endings.length > 0) {
    const last = parts.at(-1);
    throw new HclError(
      "Unclosed template directive",
      `Expected %{ ${endings.at(-1)} }.`,
      source.range(last?.start ?? 0, last?.end ?? 0),
    );
  }
  return out;
}

function buildDirective(
  source: Source,
  parts: readonly Part[],
  cursor: { at: number },
  start: number,
  directive: Extract<Directive, { word: "if" | "for" }>,
  depth: number,
): Expression {
  const end = (): number => parts[cursor.at]?.end ?? start;
  if (directive.word === "for") {
    const body = buildUntil(source, parts, cursor, ["endfor"], depth + 1);
    const at = { source, start, end: end() };
    cursor.at += 1;
    const value = join(source, body, at.start, at.end, true);
    return { kind: "for", ...directive.head, value, group: false, directive: true, ...at };
  }
  const yes = buildUntil(source, parts, cursor, ["else", "endif"], depth + 1);
  const middle = parts[cursor.at];
  let no: Expression[] = [];
  if (middle?.kind === "directive" && middle.directive.word === "else") {
    cursor.at += 1;
    no = buildUntil(source, parts, cursor, ["endif"], depth + 1);
  }
  const at = { source, start, end: end() };
  cursor.at += 1;
  return {
    kind: "conditional",
    condition: directive.condition,
    yes: join(source, yes, at.start, at.end, true),
    no: join(source, no, at.start, at.end, true),
    directive: true,
    ...at,
  };
}
