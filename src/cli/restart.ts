import { completeWorkspace } from "./completeworkspace.ts";
import type { Command } from "#serpent/command.ts";
import { connect } from "./session.ts";
import { start } from "./start.ts";
import { buildOptions, confirmUnlessYes, createBuild, finish, yes } from "./transition.ts";
import { getWorkspace } from "./workspaceref.ts";

export const restartCommand: Command = {
  use: "restart <workspace>",
  complete: completeWorkspace,
  short: "Stop a workspace and start it again.",
  options: [yes, ...buildOptions],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const session = await connect(inv);
    const name = inv.args[0] ?? "";
    const workspace = await getWorkspace(session.client, name, inv.signal);
    await confirmUnlessYes(inv, "Restart workspace?");
    const stopping = await createBuild(session, workspace, { transition: "stop" });
    await finish(inv, session, stopping, "stopped");
    await finish(inv, session, await start(inv, session, workspace), "restarted");
  },
};
