import { completeWorkspace } from "./completeworkspace.ts";
import type { Command } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { durationDisplay } from "./cliui/times.ts";
import { connect } from "./session.ts";
import { confirmUnlessYes, createBuild, finish, yes } from "./transition.ts";
import { getWorkspace } from "./workspaceref.ts";

const orphan = option(types.bool, {
  flag: "orphan",
  description:
    "Forget the workspace without destroying its resources, where they cannot be destroyed any more.",
});

export const deleteCommand: Command = {
  use: "delete <workspace>",
  complete: completeWorkspace,
  aliases: ["rm"],
  short: "Delete a workspace and its resources.",
  options: [orphan, yes],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const session = await connect(inv);
    const workspace = await getWorkspace(session.client, inv.args[0] ?? "", inv.signal);
    const name = `${workspace.owner_name}/${workspace.name}`;
    const ago = durationDisplay(inv.clock.now().getTime() - workspace.last_used_at.getTime());
    inv.stderr.write(`${name} was last used ${ago} ago\n`);
    await confirmUnlessYes(inv, "Confirm delete workspace?", "no");
    const build = await createBuild(session, workspace, { transition: "delete", orphan: inv.get(orphan) });
    await finish(inv, session, build, "deleted");
  },
};
