/** Reads query files: the sqlc dialect in, one `SourceQuery` per `-- name:` out. Knows nothing of the database. */

export interface SourceQuery {
  readonly file: string;
  /** As written: `GetUserByID`. */
  readonly name: string;
  readonly kind: string;
  /** Comment lines between the header and the SQL. */
  readonly doc: readonly string[];
  /** `-- @type column TypeName[]`: what a JSON column holds, from src/coderd/database/types.ts. */
  readonly types: ReadonlyMap<string, string>;
  /** With $1, $2, …, and `sqlc.embed(x)` still in place. */
  readonly body: string;
  readonly params: readonly Param[];
  readonly filter?: { readonly resource: string; readonly alias: string };
}

export interface Param {
  readonly name: string;
  readonly nullable: boolean;
}

const kinds = ["one", "maybe", "many", "exec", "execrows"];

export class SourceError extends Error {
  constructor(file: string, query: string, message: string) {
    super(`${file}: ${query}: ${message}`);
  }
}

export function parseQueries(file: string, text: string): SourceQuery[] {
  const parts = text.split(/^(?=-- name:)/m);
  const before = parts[0]?.startsWith("-- name:") ? [] : parts.splice(0, 1);
  if (/^[^-\s]/m.test(before.join(""))) {
    throw new SourceError(file, "(before the first query)", "SQL without a name");
  }
  return parts.map((part) => parseQuery(file, part));
}

function parseQuery(file: string, part: string): SourceQuery {
  const [, name, kind] = /^-- name: (\w+) :(\w+)\s*$/m.exec(part) ?? [];
  if (name === undefined || kind === undefined) {
    throw new SourceError(
      file,
      "header",
      `want "-- name: GetThing :one", received ${part.split("\n", 1)[0]}`,
    );
  }
  if (!kinds.includes(kind)) {
    throw new SourceError(file, name, `kind must be one of ${kinds.join(", ")}: received ${kind}`);
  }
  const doc: string[] = [];
  const types = new Map<string, string>();
  const lines = part.split("\n").slice(1);
  while (lines[0]?.startsWith("--")) {
    const line = (lines.shift() ?? "").replace(/^--\s?/, "");
    const [, column, type] = /^@type (\w+) (.+)$/.exec(line) ?? [];
    if (column !== undefined && type !== undefined) types.set(column, type.trim());
    else doc.push(line);
  }
  const filters: { resource: string; alias: string }[] = [];
  const sql = lines
    .join("\n")
    .replace(/^[ \t]*--\s*@authorize_filter\b(.*)$/gm, (_, rest: string) => {
      const [, resource, alias] = /^\s+(\w+)\s+(\w+)\s*$/.exec(rest) ?? [];
      if (resource === undefined || alias === undefined) {
        throw new SourceError(file, name, 'want "-- @authorize_filter resource alias", e.g. "workspace w"');
      }
      filters.push({ resource, alias });
      return "/*authorize_filter*/";
    })
    .replace(/^[ \t]*--.*\n/gm, "")
    .trim()
    .replace(/;\s*$/, "");
  if (sql === "") throw new SourceError(file, name, "no SQL");
  if (filters.length > 1) throw new SourceError(file, name, "more than one @authorize_filter");
  const { body, params } = numberParams(sql);
  const filter = filters[0];
  return { file, name, kind, doc, types, body, params, ...(filter ? { filter } : {}) };
}

/** `@x`, `sqlc.arg('x')` and `sqlc.narg('x')` become $n; string literals, names and comments are left alone. */
function numberParams(sql: string): { body: string; params: Param[] } {
  const params: { name: string; nullable: boolean }[] = [];
  const number = (name: string, nullable: boolean): string => {
    let index = params.findIndex((param) => param.name === name);
    if (index < 0) index = params.push({ name, nullable }) - 1;
    const param = params[index];
    if (param && nullable) param.nullable = true;
    return `$${index + 1}`;
  };
  const tokens =
    /sqlc\.(n?arg)\('?(\w+)'?\)|(?<![@<>|&\w])@(\w+)|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g;
  const body = sql.replace(tokens, (whole, fn?: string, inCall?: string, short?: string) => {
    if (inCall !== undefined) return number(inCall, fn === "narg");
    return short === undefined ? whole : number(short, false);
  });
  return { body, params };
}
