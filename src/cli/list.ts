import { contract } from "#codersdk/contract.ts";
import { Workspace } from "#codersdk/workspaces.ts";
import * as w from "#codersdk/wire.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { tableOutput, toJson } from "./output.ts";
import { connect } from "./session.ts";
import { workspaceColumns, type WorkspaceRow } from "./workspaceview.ts";

const all = option(types.bool, {
  flag: "all",
  shorthand: "a",
  description: "Show everybody's workspaces that you may see.",
});
const search = option(types.string, {
  flag: "search",
  default: "owner:me",
  description: "Which workspaces to show, as in the dashboard's search field.",
});
const output = tableOutput<WorkspaceRow>(workspaceColumns, [
  "workspace",
  "template",
  "status",
  "healthy",
  "last built",
  "current version",
  "outdated",
  "starts at",
  "stops after",
]);

export const listCommand: Command = {
  use: "list",
  aliases: ["ls"],
  short: "List workspaces.",
  options: [all, search, ...output.options],
  args: { min: 0, max: 0 },
  async handler(inv) {
    const { client } = await connect(inv);
    const q = inv.get(all) && !inv.values.isSet(search) ? "" : inv.get(search);
    const { workspaces } = await client.call(contract.workspaces.list, { query: { q }, signal: inv.signal });
    const now = inv.clock.now();
    output.print(
      inv,
      workspaces.map((workspace) => ({ workspace, now })),
      toJson(w.list(Workspace), workspaces),
      "No workspaces found! Create one with: coder create <name>",
    );
  },
};
