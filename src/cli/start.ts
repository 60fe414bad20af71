import { completeWorkspace } from "./completeworkspace.ts";
import { ClientError } from "#codersdk/client.ts";
import type { WorkspaceBuild } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import type { Command, Invocation } from "#serpent/command.ts";
import { connect, type Session } from "./session.ts";
import { buildOptions, createBuild, finish, noWait, startParameters, yes } from "./transition.ts";
import { getWorkspace } from "./workspaceref.ts";

export const startCommand: Command = {
  use: "start <workspace>",
  complete: completeWorkspace,
  short: "Start a workspace.",
  options: [noWait, yes, ...buildOptions],
  args: { min: 1, max: 1 },
  async handler(inv) {
    const session = await connect(inv);
    const workspace = await getWorkspace(session.client, inv.args[0] ?? "", inv.signal);
    if (workspace.latest_build.status === "running") {
      inv.stdout.write(`The ${workspace.name} workspace is already running!\n`);
      return;
    }
    const build =
      workspace.latest_build.status === "starting"
        ? workspace.latest_build
        : await start(inv, session, workspace);
    if (inv.get(noWait)) {
      inv.stdout.write(`The ${workspace.name} workspace has been queued to start.\n`);
      return;
    }
    await finish(inv, session, build, "started");
  },
};

/** Starts with the version it has; where the template requires the active one (403), with that. */
export async function start(
  inv: Invocation,
  session: Session,
  workspace: Workspace,
): Promise<WorkspaceBuild> {
  const current = workspace.latest_build.template_version_id;
  const active = workspace.template_active_version_id;
  const wanted = workspace.automatic_updates === "always" ? active : current;
  const wish = async (templateVersionId: string): Promise<WorkspaceBuild> =>
    await createBuild(session, workspace, {
      transition: "start",
      templateVersionId,
      parameters: await startParameters(inv, session, workspace, templateVersionId),
    });
  try {
    return await wish(wanted);
  } catch (error) {
    if (!(error instanceof ClientError) || error.status !== 403 || wanted === active) throw error;
    inv.stderr.write("This template requires its active version; starting with that.\n");
    return await wish(active);
  }
}
