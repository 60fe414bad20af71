/** What start, stop, restart, update and delete share: asking for a build and watching it. */
import { contract } from "#codersdk/contract.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import type { WorkspaceBuild } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import type { Invocation } from "#serpent/command.ts";
import { option } from "#serpent/option.ts";
import * as types from "#serpent/values.ts";
import { followBuild } from "./builds.ts";
import { confirm } from "./cliui/prompt.ts";
import { stampDisplay } from "./cliui/times.ts";
import { askParameter, readGiven } from "./askparameter.ts";
import { parameterOptions, resolveParameters, type Value } from "./parameters.ts";
import type { Session } from "./session.ts";

export const yes = option(types.bool, {
  flag: "yes",
  shorthand: "y",
  description: "Do not ask whether to go on.",
});
export const noWait = option(types.bool, {
  flag: "no-wait",
  description: "Return as soon as the build is queued.",
});
export const buildOptions = Object.values(parameterOptions);

export async function confirmUnlessYes(
  inv: Invocation,
  text: string,
  fallback: "yes" | "no" = "yes",
): Promise<void> {
  if (!inv.get(yes)) await confirm(inv, text, fallback);
}

export interface BuildWish {
  readonly transition: "start" | "stop" | "delete";
  readonly templateVersionId?: string;
  readonly parameters?: readonly Value[];
  readonly orphan?: boolean;
  /** Terraform state that the build begins with. */
  readonly state?: Uint8Array<ArrayBuffer>;
  readonly reason?: "cli" | "ssh_connection" | "vscode_connection" | "jetbrains_connection";
}

export async function createBuild(
  session: Session,
  workspace: Workspace,
  wish: BuildWish,
): Promise<WorkspaceBuild> {
  return await session.client.call(contract.workspaces.createBuild, {
    params: { workspace: workspace.id },
    body: {
      template_version_id: wish.templateVersionId ?? zeroUuid,
      transition: wish.transition,
      state: wish.state,
      orphan: wish.orphan || undefined,
      rich_parameter_values: wish.parameters && wish.parameters.length > 0 ? [...wish.parameters] : undefined,
      template_version_preset_id: zeroUuid,
      reason: wish.reason ?? "cli",
    },
  });
}

/** Parameters of a start of an existing workspace: what flags give, checked against the version. */
export async function startParameters(
  inv: Invocation,
  session: Session,
  workspace: Workspace,
  versionId: string,
): Promise<Value[]> {
  const [parameters, last] = await Promise.all([
    session.client.call(contract.templateversions.richParameters, {
      params: { templateversion: versionId },
      signal: inv.signal,
    }),
    session.client.call(contract.workspacebuilds.parameters, {
      params: { workspacebuild: workspace.latest_build.id },
      signal: inv.signal,
    }),
  ]);
  return await resolveParameters(
    {
      parameters,
      ...(await readGiven(inv)),
      last,
      isNew: false,
      useDefaults: inv.get(parameterOptions.useDefaults),
      alwaysPrompt: inv.get(parameterOptions.alwaysPrompt),
    },
    (parameter, suggested) => askParameter(inv, parameter, suggested),
  );
}

/** Follows the build on stdout and says when it is done. */
export async function finish(
  inv: Invocation,
  session: Session,
  build: WorkspaceBuild,
  done: string,
): Promise<void> {
  const name = `${build.workspace_owner_name}/${build.workspace_name}`;
  await followBuild(inv, session, build, inv.stdout);
  inv.stdout.write(`\nThe ${name} workspace has been ${done} at ${stampDisplay(inv.clock.now())}!\n`);
}
