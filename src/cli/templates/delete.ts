import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { printable } from "../cliui/table.ts";
import { stampDisplay } from "../cliui/times.ts";
import { orgOption } from "../organization.ts";
import { connect } from "../session.ts";
import { confirmUnlessYes, yes } from "../transition.ts";
import { getTemplates } from "./find.ts";

export const deleteTemplates: Command = {
  use: "delete [name...]",
  aliases: ["rm"],
  short: "Delete templates. Their workspaces must be deleted before.",
  options: [yes, orgOption],
  async handler(inv) {
    const { client } = await connect(inv);
    const found = await getTemplates(inv, client, inv.args);
    const names = found.map(({ name }) => printable(name)).join(", ");
    await confirmUnlessYes(inv, `Delete these templates: ${names}?`, "no");
    for (const { id, name } of found) {
      await client.call(contract.templates.remove, { params: { template: id }, signal: inv.signal });
      inv.stdout.write(`Deleted template ${printable(name)} at ${stampDisplay(inv.clock.now())}\n`);
    }
  },
};
