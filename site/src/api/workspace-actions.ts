/** What people do with workspaces, over the API. A restart or update of a running one is a stop, then a start. */
import type { Client } from "#codersdk/client.ts";
import { contract } from "#codersdk/contract.ts";
import type { WorkspaceBuild, WorkspaceBuildParameter } from "#codersdk/workspacebuilds.ts";
import type { Workspace } from "#codersdk/workspaces.ts";
import { zeroUuid } from "#codersdk/wire.ts";
import { type Clock, sleep } from "../lib/clock.ts";

export type Action = "start" | "stop" | "restart" | "update" | "delete" | "cancel";

/** What makes sense in this state. Pure. */
export function possibleActions({ latest_build: build, outdated }: Workspace): readonly Action[] {
  switch (build.status) {
    case "running":
      return outdated ? ["update", "restart", "stop", "delete"] : ["restart", "stop", "delete"];
    case "stopped":
    case "canceled":
      return outdated ? ["update", "start", "delete"] : ["start", "delete"];
    case "failed":
      return outdated ? ["update", "start", "stop", "delete"] : ["start", "stop", "delete"];
    case "pending":
    case "starting":
    case "stopping":
    case "deleting":
      return ["cancel"];
    case "canceling":
    case "deleted":
      return [];
  }
}

export interface BuildWish {
  readonly transition: "start" | "stop" | "delete";
  readonly versionId?: string;
  readonly parameters?: readonly WorkspaceBuildParameter[];
}

export function build(
  client: Client,
  workspaceId: string,
  { transition, versionId = zeroUuid, parameters = [] }: BuildWish,
): Promise<WorkspaceBuild> {
  return client.call(contract.workspaces.createBuild, {
    params: { workspace: workspaceId },
    body: {
      transition,
      template_version_id: versionId,
      template_version_preset_id: zeroUuid,
      rich_parameter_values: parameters,
      reason: "dashboard",
    },
  });
}

export interface ActionContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly parameters?: readonly WorkspaceBuildParameter[];
}

export async function act(context: ActionContext, workspace: Workspace, action: Action): Promise<void> {
  const { client, parameters = [] } = context;
  const { id, latest_build: latest } = workspace;
  switch (action) {
    case "start":
    case "stop":
    case "delete":
      await build(client, id, { transition: action, parameters });
      return;
    case "cancel":
      await client.call(contract.workspacebuilds.cancel, { params: { workspacebuild: latest.id } });
      return;
    case "restart":
      await stopFirst(context, workspace);
      await build(client, id, { transition: "start", parameters });
      return;
    case "update":
      await stopFirst(context, workspace);
      await build(client, id, {
        transition: "start",
        versionId: workspace.template_active_version_id,
        parameters,
      });
      return;
  }
}

const pollMs = 500;

async function stopFirst({ client, clock, signal }: ActionContext, workspace: Workspace): Promise<void> {
  if (workspace.latest_build.transition !== "start") return;
  const { id } = await build(client, workspace.id, { transition: "stop" });
  for (;;) {
    const { job } = await client.call(contract.workspacebuilds.get, {
      params: { workspacebuild: id },
      signal,
    });
    if (job.status === "succeeded") return;
    if (job.completed_at !== undefined) {
      throw new Error(`The workspace did not stop: ${job.error ?? job.status}. It was not started again.`);
    }
    await sleep(clock, pollMs, signal);
  }
}
