/** Asks PostgreSQL about one query: types of its parameters, types, origins and nullability of its columns. */
import type pg from "pg";
import type { Catalog, Table } from "./catalog.ts";
import { camel, tsType, type TsType } from "./names.ts";
import { Nullability, type Output } from "./nullability.ts";
import { SourceError, type SourceQuery } from "./source.ts";

export interface Field {
  readonly key: string;
  readonly type: TsType;
  readonly nullable: boolean;
  readonly table: number | undefined;
  readonly column: number | undefined;
}

export interface Embed {
  readonly key: string;
  readonly table: Table;
  /** On the outer side of a join: null when it found nothing. */
  readonly nullable: boolean;
}

export interface Analysed {
  readonly source: SourceQuery;
  /** Stars and embeds written out: adding a column later must not move the others. */
  readonly sql: string;
  readonly params: readonly { readonly key: string; readonly type: TsType; readonly nullable: boolean }[];
  readonly result: readonly (Field | Embed)[];
  /** Set if the result is exactly a table's or view's row. */
  readonly whole: Table | undefined;
}

const mark = "embed$";

export async function analyse(client: pg.Client, catalog: Catalog, source: SourceQuery): Promise<Analysed> {
  const fail = (message: string): never => {
    throw new SourceError(source.file, source.name, message);
  };
  const attempt = <T>(fn: () => T): T => {
    try {
      return fn();
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error));
    }
  };
  const marked = source.body.replace(
    /sqlc\.embed\((\w+)\)/g,
    (_, alias: string) => `'' AS "${mark}${alias}", ${alias}.*`,
  );
  const described = await describe(client, marked, source);
  const params = source.params.map((param, index) => ({
    key: camel(param.name),
    type: attempt(() => tsType(catalog, described.params[index] ?? 0)),
    nullable: param.nullable,
  }));
  const returns = source.kind !== "exec" && source.kind !== "execrows";
  if (returns && described.results.length === 0) fail("gives no rows: use :exec or :execrows");
  const outputs = returns ? await outputsOf(client, catalog, marked, described, source) : [];

  const result: (Field | Embed)[] = [];
  const embeds = new Map<string, Table>();
  for (let at = 0; at < outputs.length; at++) {
    const output = outputs[at];
    if (!output) break;
    if (output.name.startsWith(mark)) {
      const alias = output.name.slice(mark.length);
      const table =
        catalog.tables.get(outputs[at + 1]?.table ?? 0) ?? fail(`sqlc.embed(${alias}): not a table or view`);
      const part = outputs.slice(at + 1, at + 1 + table.columns.length);
      const nullable = table.columns.some(
        (column, index) => column.notNull && part[index]?.notNull === false,
      );
      embeds.set(alias, table);
      result.push({ key: camel(alias), table, nullable });
      at += table.columns.length;
      continue;
    }
    if (output.name === "?column?") fail(`column ${at + 1} has no name: use AS`);
    const type = attempt(() => tsType(catalog, described.results[at] ?? 0));
    const declared = source.types.get(output.name);
    result.push({
      key: camel(output.name),
      type: declared === undefined ? type : { ...type, row: declared },
      nullable: !output.notNull,
      table: output.table,
      column: output.column,
    });
  }
  const keys = result.map((item) => item.key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) fail(`two columns are called ${twice}: use AS`);
  const whole = wholeTable(catalog, result);
  return { source, sql: expandStars(source, embeds, outputs, catalog, fail), params, result, whole };
}

interface Described {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

async function describe(client: pg.Client, sql: string, source: SourceQuery): Promise<Described> {
  try {
    await client.query(`PREPARE gen_query AS ${sql}`);
    const { rows } = await client.query<{ params: number[]; results: number[] | null }>(
      `SELECT array_to_json(parameter_types::oid[]) AS params, array_to_json(result_types::oid[]) AS results
       FROM pg_prepared_statements WHERE name = 'gen_query'`,
    );
    const row = rows[0];
    return { params: (row?.params ?? []).map(Number), results: (row?.results ?? []).map(Number) };
  } catch (error) {
    throw new SourceError(source.file, source.name, error instanceof Error ? error.message : String(error));
  } finally {
    await client.query("DEALLOCATE ALL");
  }
}

/** A SQL function keeps the analysed tree; it is rolled back at once. */
async function outputsOf(
  client: pg.Client,
  catalog: Catalog,
  sql: string,
  described: Described,
  source: SourceQuery,
): Promise<Output[]> {
  const nullable = new Set(source.params.flatMap((param, index) => (param.nullable ? [index + 1] : [])));
  await client.query("BEGIN");
  try {
    const { rows: names } = await client.query<{ list: string | null }>(
      "SELECT string_agg(format_type(oid, NULL), ', ' ORDER BY n) AS list FROM unnest($1::oid[]) WITH ORDINALITY AS p (oid, n)",
      [described.params],
    );
    await client.query(
      `CREATE FUNCTION pg_temp.gen_query(${names[0]?.list ?? ""}) RETURNS SETOF record LANGUAGE sql BEGIN ATOMIC ${sql}; END`,
    );
    const { rows } = await client.query<{ tree: string }>(
      "SELECT prosqlbody::text AS tree FROM pg_proc WHERE proname = 'gen_query' AND pronamespace = pg_my_temp_schema()",
    );
    return new Nullability(catalog, nullable).outputs(rows[0]?.tree ?? "");
  } catch (error) {
    throw new SourceError(source.file, source.name, error instanceof Error ? error.message : String(error));
  } finally {
    await client.query("ROLLBACK");
  }
}

function wholeTable(catalog: Catalog, result: readonly (Field | Embed)[]): Table | undefined {
  const first = result[0];
  if (!first || !("type" in first)) return undefined;
  const table = catalog.tables.get(first.table ?? 0);
  if (!table || table.columns.length !== result.length) return undefined;
  const views = new Nullability(catalog);
  const notNull = table.isView ? views.viewColumns(table.oid) : table.columns.map((column) => column.notNull);
  const same = table.columns.every((column, index) => {
    const field = result[index];
    return (
      field &&
      "type" in field &&
      field.table === table.oid &&
      field.column === column.number &&
      field.key === camel(column.name) &&
      field.nullable === !notNull[index]
    );
  });
  return same ? table : undefined;
}

function expandStars(
  source: SourceQuery,
  embeds: ReadonlyMap<string, Table>,
  outputs: readonly Output[],
  catalog: Catalog,
  fail: (message: string) => never,
): string {
  const written = source.body.replace(/sqlc\.embed\((\w+)\)/g, (_, alias: string) =>
    (embeds.get(alias)?.columns ?? []).map((column) => `${alias}.${column.quoted}`).join(", "),
  );
  const quoted = (output: Output): string => {
    const column = catalog.tables.get(output.table ?? 0)?.columns.find((c) => c.number === output.column);
    return column?.quoted ?? `"${output.name}"`;
  };
  const all = outputs.map(quoted).join(", ");
  const star = (prefix: string): RegExp => new RegExp(`${prefix}\\s+\\*(?=\\s|$)`, "gi");
  const expanded = /^select\s+\*\s/i.test(written)
    ? written.replace(/^select\s+\*/i, `SELECT ${all}`)
    : atTopLevel(written, star("returning"), `RETURNING ${all}`);
  if (atTopLevel(expanded, /\b\w+\.\*/g, "\0").includes("\0")) {
    fail("write sqlc.embed(alias), or name the columns, not alias.*");
  }
  return expanded;
}

/** Replaces outside of parentheses only: stars inside (CTEs, count(x.*)) are the query's own business. */
function atTopLevel(sql: string, pattern: RegExp, replacement: string): string {
  return sql.replace(pattern, (whole: string, at: number) => {
    const before = sql.slice(0, at).replace(/'(?:[^']|'')*'/g, "");
    const depth = before.split("(").length - before.split(")").length;
    return depth === 0 ? replacement : whole;
  });
}
