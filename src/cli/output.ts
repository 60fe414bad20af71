/** The options that lists share: `--output table|json`, `--column`. */
import { encode } from "#codersdk/wire-encode.ts";
import type { Schema } from "#codersdk/wire.ts";
import type { Invocation } from "#serpent/command.ts";
import { option, type AnyOption } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { type Column, renderJson, renderTable } from "./cliui/table.ts";

export interface TableOutput<T> {
  readonly options: readonly AnyOption[];
  /**
   * Prints rows as the user asked. JSON prints `json`: the API's own objects, which may have more than the columns.
   * Nothing to show says so on stderr, and JSON is then `[]`.
   */
  print(inv: Invocation, rows: readonly T[], json: unknown, empty: string): void;
}

export function tableOutput<T>(columns: readonly Column<T>[], shown: readonly string[]): TableOutput<T> {
  const output = option(types.oneOf("table", "json"), {
    flag: "output",
    shorthand: "o",
    default: "table",
    description: "Output format.",
  });
  const column = option(types.someOf(...columns.map(({ name }) => name)), {
    flag: "column",
    shorthand: "c",
    default: shown.join(","),
    description: "Columns to show, in this order.",
  });
  return {
    options: [output, column],
    print(inv, rows, json, empty) {
      if (inv.get(output) === "json") inv.stdout.write(renderJson(json));
      else if (rows.length === 0) inv.stderr.write(`${empty}\n`);
      else inv.stdout.write(renderTable(rows, columns, inv.get(column)));
    },
  };
}

/** A value as the API writes it, for `-o json`. */
export function toJson(schema: Schema, value: unknown): unknown {
  return JSON.parse(encode(schema, value));
}
