import { completeWorkspace } from "./completeworkspace.ts";
import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { UsageError } from "#serpent/resolve.ts";
import { printable } from "./cliui/table.ts";
import { connect } from "./session.ts";
import { confirmUnlessYes, yes } from "./transition.ts";
import { getWorkspace } from "./workspaceref.ts";

export const autoupdateCommand: Command = {
  use: "autoupdate <workspace> <always|never>",
  complete: completeWorkspace,
  short: "Set whether a workspace's start takes its template's newest version.",
  options: [yes],
  args: { min: 2, max: 2 },
  async handler(inv) {
    const [text = "", policy = ""] = inv.args;
    if (policy !== "always" && policy !== "never") {
      throw new UsageError(`invalid option ${JSON.stringify(policy)} must be either of always or never`);
    }
    const { client } = await connect(inv);
    const { id, name } = await getWorkspace(client, text, inv.signal);
    await confirmUnlessYes(inv, `Set the update policy of ${JSON.stringify(printable(name))} to ${policy}?`);
    await client.call(contract.workspaces.setAutoupdates, {
      params: { workspace: id },
      body: { automatic_updates: policy },
      signal: inv.signal,
    });
    inv.stdout.write(
      `Updated workspace ${JSON.stringify(printable(name))} auto-update policy to ${policy}\n`,
    );
  },
};
