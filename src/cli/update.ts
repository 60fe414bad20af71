import { completeWorkspace } from "./completeworkspace.ts";
import type { Command } from "#serpent/command.ts";
import { connect } from "./session.ts";
import { buildOptions, createBuild, finish, startParameters } from "./transition.ts";
import { getWorkspace } from "./workspaceref.ts";
import { parameterOptions } from "./parameters.ts";

export const updateCommand: Command = {
  use: "update <workspace>",
  complete: completeWorkspace,
  short: "Start a workspace with its template's active version.",
  options: buildOptions,
  args: { min: 1, max: 1 },
  async handler(inv) {
    const session = await connect(inv);
    const workspace = await getWorkspace(session.client, inv.args[0] ?? "", inv.signal);
    if (
      !workspace.outdated &&
      !inv.get(parameterOptions.alwaysPrompt) &&
      !inv.values.isSet(parameterOptions.parameter)
    ) {
      inv.stdout.write("Workspace is up-to-date.\n");
      return;
    }
    const templateVersionId = workspace.template_active_version_id;
    const parameters = await startParameters(inv, session, workspace, templateVersionId);
    const { status } = workspace.latest_build;
    if (status === "running" || status === "starting") {
      await finish(inv, session, await createBuild(session, workspace, { transition: "stop" }), "stopped");
    }
    const build = await createBuild(session, workspace, {
      transition: "start",
      templateVersionId,
      parameters,
    });
    await finish(inv, session, build, "updated");
  },
};
