/** What the generator knows of the migrated database: tables, views, types, functions. */
import type pg from "pg";

export interface Column {
  readonly name: string;
  readonly quoted: string;
  readonly number: number;
  readonly type: number;
  readonly notNull: boolean;
}

export interface Table {
  readonly oid: number;
  readonly name: string;
  readonly isView: boolean;
  /** Analysed tree of a view's query. */
  readonly viewTree: string | null;
  readonly columns: readonly Column[];
  readonly comment: string | null;
}

export interface Type {
  readonly oid: number;
  readonly name: string;
  readonly element: number | undefined;
  readonly labels: readonly string[] | undefined;
}

export interface Catalog {
  readonly tables: ReadonlyMap<number, Table>;
  readonly types: ReadonlyMap<number, Type>;
  /** Functions that never give NULL, whatever they get. */
  readonly neverNull: ReadonlySet<number>;
  /** Strict functions that give NULL only for a NULL argument. */
  readonly nullOnlyFromNull: ReadonlySet<number>;
}

const neverNull = [
  "count",
  "row_number",
  "rank",
  "dense_rank",
  "now",
  "gen_random_uuid",
  "jsonb_build_object",
  "json_build_object",
  "jsonb_build_array",
  "json_build_array",
  "concat",
];

/** Strict, but NULL for some ordinary arguments. */
const risky =
  "^(jsonb?_|array_(position|length|upper|lower|ndims|dims)|regexp_|substring|to_reg|pg_|string_to_array|min|max|nullif|lag|lead)";

export async function readCatalog(client: pg.Client): Promise<Catalog> {
  const rows = async <R extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> =>
    (await client.query<R>(sql, values)).rows;
  const tables = await rows<{
    oid: number;
    name: string;
    kind: string;
    tree: string | null;
    comment: string | null;
    columns: Column[];
  }>(`
    SELECT c.oid::int AS oid, c.relname::text AS name, c.relkind::text AS kind, r.ev_action::text AS tree,
      obj_description(c.oid) AS comment,
      (SELECT json_agg(json_build_object('name', a.attname, 'quoted', quote_ident(a.attname), 'number', a.attnum,
          'type', a.atttypid::int, 'notNull', a.attnotnull) ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_class c LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
      AND c.relname <> 'schema_migrations'
    ORDER BY c.relname`);
  const types = await rows<{
    oid: number;
    name: string;
    element: number;
    category: string;
    labels: string[] | null;
  }>(`
    SELECT t.oid::int AS oid, t.typname::text AS name, t.typelem::int AS element, t.typcategory::text AS category,
      (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels
    FROM pg_type t`);
  const never = await rows<{ oid: number }>(
    "SELECT oid::int AS oid FROM pg_proc WHERE proname = ANY ($1) AND NOT proisstrict OR proname = 'count' OR proname IN ('row_number', 'rank', 'dense_rank', 'now', 'gen_random_uuid')",
    [neverNull],
  );
  const strict = await rows<{ oid: number }>(
    `SELECT p.oid::int AS oid FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
     WHERE p.proisstrict AND NOT p.proretset AND p.prokind = 'f' AND (l.lanname = 'internal' OR p.pronamespace = 'pg_catalog'::regnamespace)
       AND p.proname !~ $1 AND p.oid NOT IN (SELECT oprcode FROM pg_operator WHERE oprname IN ('->', '->>', '#>', '#>>'))`,
    [risky],
  );
  return {
    tables: new Map(
      tables.map((t) => [
        t.oid,
        {
          oid: t.oid,
          name: t.name,
          isView: t.kind === "v",
          viewTree: t.tree,
          comment: t.comment,
          columns: t.columns,
        },
      ]),
    ),
    types: new Map(
      types.map((t) => [
        t.oid,
        {
          oid: t.oid,
          name: t.name,
          element: t.category === "A" ? t.element : undefined,
          labels: t.labels ?? undefined,
        },
      ]),
    ),
    neverNull: new Set(never.map((row) => row.oid)),
    nullOnlyFromNull: new Set(strict.map((row) => row.oid)),
  };
}
