/** Tables for terminals and scripts: no borders, upper-case header, two blanks after each cell, no colours. */

export interface Column<T> {
  /** Name in `--column` and, in upper case, in the header. */
  readonly name: string;
  /** Empty for absent values. Must not contain line breaks. */
  readonly cell: (row: T) => string;
}

/** `columns`: names chosen by the user, in order. Rows keep their order. Empty rows give an empty text. */
export function renderTable<T>(
  rows: readonly T[],
  all: readonly Column<T>[],
  columns: readonly string[],
): string {
  if (rows.length === 0) return "";
  const chosen = columns.map((name) => {
    const column = all.find((one) => one.name === name);
    if (!column) throw new Error(`no column is named ${JSON.stringify(name)}`);
    return column;
  });
  const lines = [
    chosen.map((column) => column.name.toUpperCase()),
    ...rows.map((row) => chosen.map((column) => printable(column.cell(row)))),
  ];
  const widths = chosen.map((_, at) => Math.max(...lines.map((line) => displayWidth(line[at] ?? ""))));
  return lines
    .map(
      (line) =>
        line.map((cell, at) => cell + " ".repeat((widths[at] ?? 0) - displayWidth(cell) + 2)).join("") + "\n",
    )
    .join("");
}

/** Server texts must not move the cursor or forge lines. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (char) =>
    char === "\t" || char === "\n" ? " " : "\uFFFD",
  );
}

/** Columns that a text takes: wide for East Asian and emoji ranges, none for combining marks. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (/\p{M}/u.test(char)) continue;
    width +=
      code >= 0x1100 &&
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u.test(
        char,
      )
        ? 2
        : 1;
  }
  return width;
}

/** Two blanks of indentation, `<`, `>` and `&` escaped as Go does, newline at the end. */
export function renderJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2);
  return (
    text.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`) +
    "\n"
  );
}
