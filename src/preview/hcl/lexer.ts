/**
 * Characters → tokens of HCL's normal mode, on demand: the parser says whether newlines count, and takes over the raw
 * characters inside quotes and heredocs (template.ts).
 */
import { HclError, type Source } from "./source.ts";

export type TokenKind = "identifier" | "number" | "operator" | "quote" | "heredoc" | "newline" | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const operators = [
  ..."... && || == != <= >= => ::".split(" "),
  ..."< > + - * / % ! ? : = ( ) [ ] { } , . ~".split(" "),
];
/** By first character, longest first. */
const operatorsBy: ReadonlyMap<string, readonly string[]> = new Map(
  operators.map((first) => {
    const letter = first.charAt(0);
    return [letter, operators.filter((text) => text.startsWith(letter))];
  }),
);
const identifier = /[\p{ID_Start}_][\p{ID_Continue}-]*/uy;
/** Nearly all names; the other pattern is slow. */
const plainIdentifier = /[A-Za-z_][A-Za-z0-9_-]*/y;
const numeral = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const isBlank = (c: string | undefined): boolean => c === " " || c === "\t" || c === "\r";

export class Lexer {
  readonly source: Source;
  /** Offset of the next character. */
  at: number;
  readonly limit: number;
  #peeked: Token | undefined;
  #peekedFrom = -1;
  /** Innermost last: whether newlines are tokens here. */
  readonly #newlines: boolean[] = [true];
  /** End of the last token that `next` gave. */
  lastEnd = 0;

  constructor(source: Source, at = 0, limit = source.text.length) {
    this.source = source;
    this.at = at;
    this.limit = limit;
  }

  withNewlines<T>(count: boolean, run: () => T): T {
    this.#newlines.push(count);
    this.#peeked = undefined;
    try {
      return run();
    } finally {
      this.#newlines.pop();
      this.#peeked = undefined;
    }
  }

  fail(summary: string, detail: string, start = this.at, end = start + 1): never {
    throw new HclError(summary, detail, this.source.range(start, Math.min(end, this.source.text.length)));
  }

  peek(): Token {
    if (this.#peeked && this.#peekedFrom === this.at) return this.#peeked;
    const token = this.#scan();
    this.#peeked = token;
    this.#peekedFrom = this.at;
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.at = token.end;
    this.lastEnd = token.end;
    this.#peeked = undefined;
    return token;
  }

  isOperator(text: string): boolean {
    const token = this.peek();
    return token.kind === "operator" && token.text === text;
  }

  /** Takes the operator if it is next. */
  take(text: string): boolean {
    if (!this.isOperator(text)) return false;
    this.next();
    return true;
  }

  expect(text: string, context: string): Token {
    const token = this.peek();
    if (token.kind === "operator" && token.text === text) return this.next();
    return this.unexpected(`expected ${JSON.stringify(text)} ${context}`);
  }

  identifier(context: string): Token {
    const token = this.peek();
    return token.kind === "identifier" ? this.next() : this.unexpected(`expected a name ${context}`);
  }

  unexpected(detail: string): never {
    const token = this.peek();
    const found =
      token.kind === "end"
        ? "the end of the file"
        : token.kind === "newline"
          ? "a newline"
          : JSON.stringify(token.text);
    return this.fail("Invalid syntax", `${detail}, found ${found}.`, token.start, token.end);
  }

  skipNewlines(): void {
    while (this.peek().kind === "newline") this.next();
  }

  #scan(): Token {
    const { text } = this.source;
    let at = this.at;
    const newlines = this.#newlines.at(-1) === true;
    for (;;) {
      while (isBlank(text[at])) at += 1;
      const c = text[at];
      if (c === "\n" && !newlines) {
        at += 1;
      } else if (c === "#" || (c === "/" && text[at + 1] === "/")) {
        const end = text.indexOf("\n", at);
        at = end < 0 ? this.limit : end;
      } else if (c === "/" && text[at + 1] === "*") {
        const end = text.indexOf("*/", at + 2);
        if (end < 0) this.fail("Unterminated comment", "This comment has no end.", at, at + 2);
        at = end + 2;
      } else break;
      if (at >= this.limit) break;
    }
    if (at >= this.limit) return { kind: "end", text: "", start: this.limit, end: this.limit };
    return this.#token(at);
  }

  #token(at: number): Token {
    const { text } = this.source;
    const c = text.charAt(at);
    if (c === "\n") return tokenAt(text, at, "newline", 1);
    if (c === '"') return tokenAt(text, at, "quote", 1);
    const name = nameLength(text, at);
    if (name > 0) return tokenAt(text, at, "identifier", name);
    numeral.lastIndex = at;
    const digits = numeral.exec(text);
    if (digits) return tokenAt(text, at, "number", digits[0].length);
    if (text.startsWith("<<", at)) {
      const opener = /<<-?[\p{ID_Start}_][\p{ID_Continue}-]*\r?\n/uy;
      opener.lastIndex = at;
      const found = opener.exec(text);
      if (found) return tokenAt(text, at, "heredoc", found[0].length);
    }
    for (const operator of operatorsBy.get(c) ?? []) {
      if (text.startsWith(operator, at)) return tokenAt(text, at, "operator", operator.length);
    }
    return this.fail(
      "Invalid character",
      `${JSON.stringify(c)} is not used within the language.`,
      at,
      at + 1,
    );
  }
}

/** Length of the name that begins here, 0 if none does. */
function nameLength(text: string, at: number): number {
  plainIdentifier.lastIndex = at;
  const plain = plainIdentifier.exec(text)?.[0].length ?? 0;
  if (!((text.codePointAt(at + plain) ?? 0) > 127)) return plain;
  identifier.lastIndex = at;
  return identifier.exec(text)?.[0].length ?? 0;
}

const tokenAt = (text: string, at: number, kind: TokenKind, length: number): Token => ({
  kind,
  text: text.slice(at, at + length),
  start: at,
  end: at + length,
});
