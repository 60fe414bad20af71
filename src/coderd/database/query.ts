/**
 * A query as plain data. `scripts/gen-sql.ts` writes one of these per `-- name:` in queries/*.sql, into
 * gen/<file>.gen.ts, and the one list of all into gen/queries.gen.ts; `db.ts` runs them, `dbauthz` holds a rule for each.
 */

/** one: exactly one row, else NoRows · maybe: a row or undefined · many: rows · exec: nothing · execrows: how many rows. */
export type QueryKind = "one" | "maybe" | "many" | "exec" | "execrows";

/** How a column's text becomes a value; `[]` marks arrays. */
export type ColumnType = BaseType | `${BaseType}[]`;
export type BaseType = "text" | "number" | "boolean" | "time" | "json" | "bytes";

/** Column names and types in the order of the result; a nested one is an embedded table (`sqlc.embed`). */
export type Columns = { readonly [name: string]: ColumnType | { readonly [name: string]: ColumnType } };

declare const argType: unique symbol;
declare const rowType: unique symbol;

export interface Query<K extends QueryKind = QueryKind, Arg = never, Row = unknown> {
  readonly name: string;
  readonly kind: K;
  readonly sql: string;
  /** Names of the argument's fields, in the order of $1, $2, … */
  readonly params: readonly string[];
  /** Those of `params` that are sent as JSON. */
  readonly json?: readonly string[];
  readonly columns?: Columns;
  /** `-- @authorize_filter workspace w`: where a permission filter goes, the kind of object and its table's alias. */
  readonly filter?: { readonly resource: string; readonly alias: string };
  /** Types only; absent at run time. */
  readonly [argType]?: (arg: Arg) => void;
  readonly [rowType]?: Row;
}

/** What the generated files write; the type parameters cannot be inferred from data. */
export function query<K extends QueryKind, Arg, Row>(
  data: Omit<Query<K, Arg, Row>, typeof argType | typeof rowType>,
): Query<K, Arg, Row> {
  return data;
}

export type AnyQuery = Query;
export type KindOf<Q> = Q extends Query<infer K, infer _A, infer _R> ? K : never;
export type ArgOf<Q> = Q extends Query<infer _K, infer A, infer _R> ? A : never;
export type RowOf<Q> = Q extends Query<infer _K, infer _A, infer R> ? R : never;
export type ResultOf<Q> = Q extends Query<infer K, infer _A, infer R> ? Outcome<R>[K] : never;

interface Outcome<Row> {
  readonly one: Row;
  readonly maybe: Row | undefined;
  readonly many: Row[];
  readonly exec: void;
  readonly execrows: number;
}

/** A permission as SQL. `text` numbers its own values from $1; it is joined to the query's condition by AND. */
export interface SqlFilter {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface RunOptions {
  /** Only for queries that have a place for it; without one, all rows are seen. */
  readonly filter?: SqlFilter | undefined;
  /** Cancels the statement on the server. */
  readonly signal?: AbortSignal | undefined;
}

/** Methods by the names of the queries. */
export type MethodsOf<Queries> = {
  readonly [N in keyof Queries]: (
    arg: ArgOf<Queries[N]>,
    options?: RunOptions,
  ) => Promise<ResultOf<Queries[N]>>;
};

/** Stands in the SQL where the filter goes. */
export const filterMark = "/*authorize_filter*/";
