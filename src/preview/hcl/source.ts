/** Files, places in them, and what is said about a place. */

/** `line` and `column` count from 1, `offset` from 0 in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface Range {
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
}

export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly detail: string;
  readonly range?: Range | undefined;
  /** Address of the block that it concerns, such as `coder_agent.main`. */
  readonly address?: string | undefined;
}

/** Ends parsing or evaluating at a place. */
export class HclError extends Error {
  override name = "HclError";
  readonly diagnostic: Diagnostic;
  constructor(summary: string, detail: string, range?: Range, address?: string) {
    super(detail === "" ? summary : `${summary}: ${detail}`);
    this.diagnostic = { severity: "error", summary, detail, range, address };
  }
}

/** `main.tf:3,5-9` as Terraform writes it. */
export function rangeText(range: Range): string {
  const end =
    range.end.line === range.start.line ? `${range.end.column}` : `${range.end.line},${range.end.column}`;
  return `${range.file}:${range.start.line},${range.start.column}-${end}`;
}

/** One line for logs: `main.tf line 3: Summary; detail`. */
export function diagnosticText(diagnostic: Diagnostic): string {
  const place = diagnostic.range ? `${diagnostic.range.file} line ${diagnostic.range.start.line}: ` : "";
  return `${place}${diagnostic.summary}${diagnostic.detail === "" ? "" : `; ${diagnostic.detail}`}`;
}

/** Text of one file with its line starts. */
export class Source {
  readonly file: string;
  readonly text: string;
  readonly #lines: number[] = [0];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text.startsWith("\ufeff") ? text.slice(1) : text;
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) {
      this.#lines.push(at + 1);
    }
  }

  position(offset: number): Position {
    let low = 0;
    let high = this.#lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lines[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lines[low] ?? 0) + 1, offset };
  }

  range(start: number, end: number): Range {
    return { file: this.file, start: this.position(start), end: this.position(end) };
  }

  slice(range: Range): string {
    return this.text.slice(range.start.offset, range.end.offset);
  }
}
