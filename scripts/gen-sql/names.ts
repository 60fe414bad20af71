/** Names and types of the generated code. */
import type { Catalog } from "./catalog.ts";

export function pascal(snake: string): string {
  return snake.replace(/(?:^|[_-])([a-z0-9])/g, (_, char: string) => char.toUpperCase());
}

/** `user_id` → `userId`; query names `GetUserByID` → `getUserByID`. */
export function camel(name: string): string {
  return name
    .replace(/_([a-z0-9])/g, (_, char: string) => char.toUpperCase())
    .replace(/^[A-Z]/, (char) => char.toLowerCase());
}

/** `users` → `User`, `workspace_app_statuses` → `WorkspaceAppStatus`. */
export function modelName(table: string): string {
  return pascal(
    table
      .replace(/statuses$/, "status")
      .replace(/ies$/, "y")
      .replace(/(?<!s|statu)s$/, ""),
  );
}

export function columnsName(table: string): string {
  const model = modelName(table);
  return `${camel(model)}Columns`;
}

export interface TsType {
  /** For rows. */
  readonly row: string;
  /** For arguments: wider where we accept more. */
  readonly arg: string;
  /** `ColumnType` of query.ts. */
  readonly code: string;
}

const base: Readonly<Record<string, TsType>> = Object.fromEntries(
  [
    [
      ["uuid", "text", "varchar", "bpchar", "name", "inet", "cidr"],
      { row: "string", arg: "string", code: "text" },
    ],
    [["int2", "int4", "int8", "float4", "float8", "oid"], { row: "number", arg: "number", code: "number" }],
    [["bool"], { row: "boolean", arg: "boolean", code: "boolean" }],
    [["timestamptz"], { row: "Date", arg: "Date", code: "time" }],
    [["json", "jsonb"], { row: "unknown", arg: "unknown", code: "json" }],
    [["bytea"], { row: "Buffer", arg: "Uint8Array", code: "bytes" }],
    [["void"], { row: "unknown", arg: "unknown", code: "text" }],
  ].flatMap(([names, type]) =>
    Array.isArray(names) && !Array.isArray(type) && type ? names.map((n) => [n, type] as const) : [],
  ),
);

/** Throws with what to do about a type that has no safe counterpart. */
export function tsType(catalog: Catalog, oid: number): TsType {
  const type = catalog.types.get(oid);
  if (!type) throw new Error(`unknown type ${oid}`);
  if (type.labels) {
    const name = pascal(type.name);
    return { row: name, arg: name, code: "text" };
  }
  if (type.element !== undefined) {
    const element = tsType(catalog, type.element);
    const array = (of: string): string => (/^\w+$/.test(of) ? `${of}[]` : `(${of})[]`);
    return { row: array(element.row), arg: `readonly ${array(element.arg)}`, code: `${element.code}[]` };
  }
  const known = base[type.name];
  if (!known) {
    const remedy: Readonly<Record<string, string>> = {
      numeric: "cast it to bigint or double precision (sum() of bigint is numeric)",
      timestamp: "use timestamptz",
      interval: "take extract(epoch …)::double precision",
      date: "cast it to text",
      record: "name its columns",
    };
    throw new Error(`type ${type.name} has no counterpart: ${remedy[type.name] ?? "cast it to text"}`);
  }
  return known;
}
