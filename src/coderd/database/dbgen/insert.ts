/** Inserts any row of any table: the statement follows from the generated column list. Only dbgen's makers call it. */
import type { Store } from "../db.ts";
import { type Columns, query } from "../query.ts";

/** Fields that are left out get the column's default. */
export async function insert<Row extends object>(
  store: Store,
  table: string,
  columns: Columns,
  row: Partial<Row>,
): Promise<Row> {
  const keys = Object.entries(row)
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key);
  const unknown = keys.filter((key) => !(key in columns));
  if (unknown.length > 0) throw new Error(`${table} has no column ${unknown.join(", ")}`);
  const numbers = keys.map((_, index) => `$${index + 1}`).join(", ");
  const sql =
    `INSERT INTO ${table} (${keys.map(snake).join(", ")}) VALUES (${numbers}) ` +
    `RETURNING ${Object.keys(columns).map(snake).join(", ")}`;
  return store.run(
    query<"one", Partial<Row>, Row>({
      // Statements are cached by name: another choice of fields is another statement.
      name: `dbgen_${table}_${keys.length}_${hash(keys.join())}`,
      kind: "one",
      sql,
      params: keys,
      json: keys.filter((key) => columns[key] === "json"),
      columns,
    }),
    row,
  );
}

function snake(key: string): string {
  return `"${key.replace(/[A-Z]/g, (char) => `_${char.toLowerCase()}`)}"`;
}

function hash(text: string): string {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + char.charCodeAt(0)) >>> 0;
  return sum.toString(36);
}
