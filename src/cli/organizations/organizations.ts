/** `coder organizations`: list and show. */
import { contract } from "#codersdk/contract.ts";
import type { Client } from "#codersdk/client.ts";
import { Organization } from "#codersdk/organizations.ts";
import * as w from "#codersdk/wire.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { type Column, printable, renderJson, renderTable } from "../cliui/table.ts";
import { timeDisplay } from "../cliui/times.ts";
import { orgOption, pickOrganization } from "../organization.ts";
import { tableOutput, toJson } from "../output.ts";
import { connect } from "../session.ts";

const columns: readonly Column<Organization>[] = [
  { name: "id", cell: (one) => one.id },
  { name: "name", cell: (one) => one.name },
  { name: "display name", cell: (one) => one.display_name },
  { name: "icon", cell: (one) => one.icon },
  { name: "description", cell: (one) => one.description },
  { name: "created at", cell: (one) => timeDisplay(one.created_at) },
  { name: "updated at", cell: (one) => timeDisplay(one.updated_at) },
  { name: "default", cell: (one) => String(one.is_default) },
];
const listOutput = tableOutput<Organization>(columns, ["name", "display name", "id", "default"]);

const list: Command = {
  use: "list",
  aliases: ["ls"],
  short: "List the organizations that you may see.",
  options: listOutput.options,
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const all = await client.call(contract.organizations.list, { signal: inv.signal });
    listOutput.print(inv, all, toJson(w.list(Organization), all), "No organizations found.");
  },
};

const onlyId = option(types.bool, { flag: "only-id", description: "Print the id only." });
const format = option(types.oneOf("text", "table", "json"), {
  flag: "output",
  shorthand: "o",
  default: "text",
  description: "Output format.",
});
const column = option(types.someOf(...columns.map(({ name }) => name)), {
  flag: "column",
  shorthand: "c",
  default: "id,name,default",
  description: "Columns to show, in this order.",
});

/** `selected` is what --org names, or the only one; `me` is all of one's own. */
async function find(inv: Invocation, client: Client, which: string): Promise<readonly Organization[]> {
  if (which === "selected") return [await pickOrganization(inv, client)];
  if (which === "me") {
    return await client.call(contract.organizations.ofUser, { params: { user: "me" }, signal: inv.signal });
  }
  return [
    await client.call(contract.organizations.get, { params: { organization: which }, signal: inv.signal }),
  ];
}

const show: Command = {
  use: 'show ["selected"|"me"|uuid|org_name]',
  short: "Show an organization, the selected one by default.",
  options: [onlyId, format, column],
  args: { min: 0, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const which = inv.args[0] ?? "selected";
    const found = await find(inv, client, which);
    if (inv.get(onlyId)) {
      inv.stdout.write(found.map((one) => `${one.id}\n`).join(""));
      return;
    }
    switch (inv.get(format)) {
      case "json":
        inv.stdout.write(renderJson(toJson(w.list(Organization), found)).trimEnd());
        break;
      case "table":
        inv.stdout.write(renderTable(found, columns, inv.get(column)));
        break;
      case "text":
        for (const one of found) inv.stdout.write(`${printable(one.name)} (${one.id})\n`);
        break;
    }
  },
};

export const organizationsCommand: Command = {
  use: "organizations [subcommand]",
  aliases: ["organization", "org", "orgs"],
  short: "Look at organizations.",
  options: [orgOption],
  children: [list, show],
};
