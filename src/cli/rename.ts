import { completeWorkspace } from "./completeworkspace.ts";
import { contract } from "#codersdk/contract.ts";
import type { Command } from "#serpent/command.ts";
import { askText } from "./cliui/prompt.ts";
import { printable } from "./cliui/table.ts";
import { connect } from "./session.ts";
import { yes } from "./transition.ts";
import { getWorkspace } from "./workspaceref.ts";

export const renameCommand: Command = {
  use: "rename <workspace> <new name>",
  complete: completeWorkspace,
  short: "Rename a workspace.",
  options: [yes],
  args: { min: 2, max: 2 },
  async handler(inv) {
    const { client } = await connect(inv);
    const [text = "", name = ""] = inv.args;
    const workspace = await getWorkspace(client, text, inv.signal);
    if (!inv.get(yes)) {
      inv.stderr.write(
        "WARN: a rename can destroy data: templates may use the name for disks and machines, which then are made anew.\n" +
          `See the template's parameters and resources: ${client.url}/templates/${encodeURIComponent(workspace.template_name)}/docs\n`,
      );
      await askText(inv, {
        text: `Type ${JSON.stringify(printable(workspace.name))} to confirm the rename:`,
        validate(answer) {
          if (answer !== workspace.name) throw new Error("That is not the workspace's name.");
        },
      });
    }
    await client.call(contract.workspaces.rename, {
      params: { workspace: workspace.id },
      body: { name },
      signal: inv.signal,
    });
    inv.stdout.write(
      `Workspace ${JSON.stringify(printable(workspace.name))} renamed to ${JSON.stringify(printable(name))}.\n`,
    );
  },
};
