import { completeWorkspace } from "./completeworkspace.ts";
import type { Command } from "#serpent/command.ts";
import { connect } from "./session.ts";
import { confirmUnlessYes, createBuild, finish, yes } from "./transition.ts";
import { getWorkspace } from "./workspaceref.ts";

export const stopCommand: Command = {
  use: "stop <workspace>",
  complete: completeWorkspace,
  short: "Stop a workspace.",
  options: [yes],
  args: { min: 1, max: 1 },
  async handler(inv) {
    await confirmUnlessYes(inv, "Confirm stop workspace?");
    const session = await connect(inv);
    const workspace = await getWorkspace(session.client, inv.args[0] ?? "", inv.signal);
    const build = await createBuild(session, workspace, { transition: "stop" });
    await finish(inv, session, build, "stopped");
  },
};
