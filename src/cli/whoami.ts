import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { printable, renderJson, renderTable } from "./cliui/table.ts";
import { connect } from "./session.ts";

const output = option(types.oneOf("text", "json", "table"), {
  flag: "output",
  shorthand: "o",
  default: "text",
  description: "Output format.",
});

interface Row {
  readonly url: string;
  readonly username: string;
  readonly user_id: string;
  readonly organization_ids: readonly string[];
  readonly roles: Readonly<Record<string, readonly string[]>>;
}

const columns = [
  { name: "url", cell: (row: Row) => row.url },
  { name: "username", cell: (row: Row) => row.username },
  { name: "id", cell: (row: Row) => row.user_id },
  { name: "orgs", cell: (row: Row) => row.organization_ids.join(", ") },
  { name: "roles", cell: (row: Row) => Object.values(row.roles).flat().join(", ") },
];
const column = option(types.someOf(...columns.map(({ name }) => name)), {
  flag: "column",
  shorthand: "c",
  default: "url,username,id",
  description: "Columns to show, in this order.",
});

export const whoamiCommand: Command = {
  use: "whoami",
  short: "Show who you are signed in as.",
  options: [output, column],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const me = await client.call(contract.users.get, { params: { user: "me" }, signal: inv.signal });
    const roles: Record<string, string[]> = {};
    for (const role of me.roles) {
      (roles[role.organization_id ?? "*"] ??= []).push(role.display_name || role.name);
    }
    const row: Row = {
      url: client.url,
      username: me.username,
      user_id: me.id,
      organization_ids: me.organization_ids,
      roles,
    };
    switch (inv.get(output)) {
      case "json":
        inv.stdout.write(renderJson([row]).trimEnd());
        break;
      case "table":
        inv.stdout.write(renderTable([row], columns, inv.get(column)));
        break;
      case "text":
        inv.stdout.write(
          `Coder is running at ${client.url}, You're authenticated as ${printable(me.username)} !\n`,
        );
        break;
    }
  },
};
