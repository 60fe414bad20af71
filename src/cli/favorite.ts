import { completeWorkspace } from "./completeworkspace.ts";
import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { printable } from "./cliui/table.ts";
import { connect } from "./session.ts";
import { getWorkspace } from "./workspaceref.ts";

export const favoriteCommand: Command = {
  use: "favorite <workspace>",
  complete: completeWorkspace,
  aliases: ["fav", "favourite"],
  short: "List a workspace first.",
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const { id, name } = await getWorkspace(client, inv.args[0] ?? "", inv.signal);
    await client.call(contract.workspaces.favorite, { params: { workspace: id }, signal: inv.signal });
    inv.stdout.write(`Workspace ${JSON.stringify(printable(name))} added to favorites.\n`);
  },
};

export const unfavoriteCommand: Command = {
  use: "unfavorite <workspace>",
  complete: completeWorkspace,
  aliases: ["unfav", "unfavourite"],
  short: "List a workspace among the others again.",
  args: { min: 1, max: 1 },
  async handler(inv) {
    const { client } = await connect(inv);
    const { id, name } = await getWorkspace(client, inv.args[0] ?? "", inv.signal);
    await client.call(contract.workspaces.unfavorite, { params: { workspace: id }, signal: inv.signal });
    inv.stdout.write(`Workspace ${JSON.stringify(printable(name))} removed from favorites.\n`);
  },
};
