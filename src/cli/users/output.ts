/** What lists of users show. */
import type { User } from "#codersdk/users.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { type Column, renderTable } from "../cliui/table.ts";
import { timeDisplay } from "../cliui/times.ts";
import type { Invocation } from "#serpent/command.ts";

export const userColumns: readonly Column<User>[] = [
  { name: "id", cell: (user) => user.id },
  { name: "username", cell: (user) => user.username },
  { name: "name", cell: (user) => user.name ?? "" },
  { name: "email", cell: (user) => user.email },
  { name: "created at", cell: (user) => timeDisplay(user.created_at) },
  { name: "updated at", cell: (user) => timeDisplay(user.updated_at) },
  { name: "status", cell: (user) => user.status },
];

export const usualColumns = ["username", "email", "created at", "status"];

/** `--column` of commands that show the user whom they are about to change. */
export const changeColumn = option(types.someOf(...usualColumns), {
  flag: "column",
  shorthand: "c",
  default: usualColumns.join(","),
  description: "Columns to show of the user.",
});

export function showUser(inv: Invocation, user: User): void {
  inv.stdout.write(renderTable([user], userColumns, inv.get(changeColumn)));
}
